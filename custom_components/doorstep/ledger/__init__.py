"""What is remembered: the one database, the Merkle log in it, signed heads and proofs.

Here live the SQLite transaction that every room writes through, the outbox of side effects, the
RFC 6962 tree and the C2SP note formats. Nothing here knows what a doorbell, a request or a release
is, and nothing here imports another room.
"""
