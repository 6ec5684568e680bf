"""What comes in: feeds, agencies, footage requests, and whether they concern this home.

Here live the reader of the public logs, the checks of everything that agencies sign, the area
match, the house rules, the state tables and the tables of the inbox. Rules and feeds can only
narrow: nothing in this room can approve, and nothing here sends anything but plain GETs for feeds.
May import `footage` and `ledger`; never `disclosure`, never Home Assistant.
"""
