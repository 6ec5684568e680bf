"""Whole stories: a booted Home Assistant, the simulators, a real browser."""
