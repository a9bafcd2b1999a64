"""Forward: the call goes to the upstream, with one deadline (`proxy/upstream/deadlines.py`).

A call for which everything is at hand is sent here and answered to `receive`, without anybody waiting; any other goes
its whole way in `receive`.
"""

from collections.abc import Awaitable

from proxy.deps import Deps
from proxy.exchange import Exchange


def forward(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill `sent`, which waits for the answer; None where nothing could be sent at once. Refuses nothing."""
    assert x.installation is not None
    assert x.outbound is not None
    if x.retry is not None and x.retry.suspended:
        return None
    jti = x.session.jti if x.session is not None else None
    x.sent = deps.upstreams.sent.begin(x.installation, x.outbound, x.caller.key, jti)
    return x.sent
