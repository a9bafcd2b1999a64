"""The words between probe pods and control: targets that only a pod knows, and what became of one.

Read by `bridge/reach.py`, which tries, and by `control/orchestrator/probing`, which judges; the two never import each
other.
"""

from typing import Final, Literal

API_SERVER: Final = "api-server"
"""Stands for the address of the cluster's API, which every pod is told
(https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
"""
NAMESERVER: Final = "nameserver"
"""Stands for port 53, over TCP, of whoever resolves names for a pod."""
MOST_TARGETS: Final = 32
"""Of one pod, which tries them at once."""
Outcome = Literal["reached", "blocked", "unresolved"]
"""`unresolved`: its name has no address there, so that nothing was tried."""
