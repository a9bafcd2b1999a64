"""Servers that Archway runs itself: what is wanted of each, how it does, and what keeps the two the same.

`wanted.py` says what to run for one installation, `control/registry/server_state.py` how it does, `runtime.py` what a
place to run it must be able to do. There are two such places: processes of this machine, and a Kubernetes cluster.
"""
