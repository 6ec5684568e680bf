"""The developer interface: the commands live beside this file, house.py is what they share."""
