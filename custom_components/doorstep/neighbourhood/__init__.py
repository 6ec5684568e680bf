"""What residents share by their own choice: its place in the house, with nothing in it yet.

Nothing that agencies ask for may ever come through this room, and nothing here may reach them.
"""
