"""Doorstep: a home's doorbell, and the desk where its people answer requests for footage."""
