"""How many descriptors this process may hold, and how many of them its callers may take.

`proxy/worker.py` raises the limit at its start, `proxy/listening/door.py` keeps callers within their part.
"""

import resource

_ENOUGH = 1 << 20
RESERVE = 1100
"""What is kept for servers (up to a thousand connections), Redis, control, files and the listeners."""


def raise_limit() -> None:
    """Take as many as the system gives this process: the soft limit is often 1024 for the sake of `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def places(limit: int | None = None) -> int:
    """How many callers may be connected: all but the reserve, or half of a limit that is small."""
    if limit is None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        limit = _ENOUGH
    return max(1, limit - min(RESERVE, limit // 2))
