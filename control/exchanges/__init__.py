"""Tokens that identity providers give for callers: exchanged for what they gave before, or asserted elsewhere.

`exchanges.py` gives each caller's token, once however many ask, and keeps it for a while; `one_exchange.py` gets one;
`subject.py` says which token is exchanged; `at_provider.py` and `at_server.py` are the two legs; `sentences.py` has
the words for people. Nothing of it is in a row: what is lost with the process is asked for again.
"""
