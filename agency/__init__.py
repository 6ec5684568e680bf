"""The agency's side of the wire, so that anybody can be the agency.

What lives here: keys, the public log (static files for any web server), statements, requests, a
demonstration server that takes uploads, and the opening and checking of packages. Start with
`python -m agency --help`.

What may not: anything of Home Assistant or of the integration. The two sides share a protocol
(docs/for-agencies.md) and no code, so that each is a check on the other. Needs Python's standard
library and `cryptography`.
"""
