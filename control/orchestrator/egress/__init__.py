"""What a server may reach, as the objects of whoever holds that in the cluster: one file for each of them.

`policies.py` chooses; `capabilities.py` says what a cluster can do.
"""
