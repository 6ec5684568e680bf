"""What is recorded: fragments, the pre-roll ring, clips, the library, retention, seals.

May import the `ledger` room. May not import Home Assistant, nor `inbox` and `disclosure`: footage
knows nothing of requests, and never sends anything anywhere.
"""
