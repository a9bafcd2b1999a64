"""What a person says in YAML over the Deployment of a server: merged, held to a list of what may be said, and judged.

`overridden.py` is what the rest calls; `may_be_said.py` is the list. Pure.
"""
