"""The pieces of OAuth as a client: Archway at the authorization server of an upstream.

`discovery.py` goes from a server's URL to its authorization server; `registration.py` makes us a client there;
`authorize.py` sends a person and judges what comes back; `token_request.py` gets tokens; `account.py` says whose they
are; `revocation.py` gives them back. No SQL and no pages: what is kept and shown is decided by whoever calls.
"""
