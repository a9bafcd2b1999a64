"""Programs kept running as children of a process of ours, which end with it whatever ends that process.

`program.py` says what is known of one before it runs, `child.py` starts it behind its guard (`guard.py`, a small
process of its own), restarts it when it dies and stops it. The guard writes down which processes these are
(`identity.py`), so that the next start ends what a killed one left (`orphans.py`). Used by `archway up`; `pauses.py`
and `identity.py` also by the supervisor of the proxy's workers, which keeps its workers in another way: they inherit
sockets, and their parent is process 1 of a container. Only the standard library is needed.
"""
