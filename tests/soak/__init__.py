"""Soak tests: seeded rounds of crashes, cuts, garbage and mutants, repeatable by kind and seed.

`scripts/soak` plays rounds for some minutes (`python -m tests.soak --help`); `test_soak.py` plays a
few fixed seeds of each kind in the normal suite. A kind is a module with `play(dice, folder)`: it
returns what it counted, and whatever it raises is a failure.
"""
