"""Servers that we run in a Kubernetes cluster: what each is there, and what keeps it so.

`cluster.py` is the one file that talks to Kubernetes; `reflector.py` keeps a copy of what is there, with which
`differences.py` compares what is wanted; `lease.py` says which replica looks after it. Imported only where servers
run in a cluster.
"""
