"""Receive: the one message that answers the call; progress goes to the caller as it comes.

A call whose credential the upstream refused is sent once more with a newer one, if there is one.
"""

from collections.abc import Awaitable
from dataclasses import replace

import orjson

from core.mcp.shapes import progress_for_caller
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.room import hold_read, no_room
from proxy.stages.renew_credential import renew_credential
from proxy.telemetry.metrics import PROGRESS
from proxy.upstream.answers import Json
from proxy.upstream.conversation import Owner
from proxy.upstream.faults import upstream_text


def receive(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill the result; waits where the answer is more than one whole message. Refuses with an `upstream_` reason."""
    answer = deps.upstreams.sent.received(x.sent) if x.sent is not None else None
    if answer is None:
        return _converse(x, deps)
    _take(x, answer)
    return None


async def _converse(x: Exchange, deps: Deps) -> None:
    assert x.installation is not None
    assert x.outbound is not None
    token = x.request.meta.get("progressToken")

    async def on_progress(params: Json) -> None:
        deps.slots.add(PROGRESS)
        told = progress_for_caller(params, token)
        await x.outlet.send_event(
            orjson.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": told})
        )

    def hold(size: int) -> None:
        x.large = True
        if not hold_read(x, deps, size):
            raise no_room(x, deps)

    owner = Owner(x.caller.key, x.session.jti if x.session is not None else None, hold)
    try:
        if x.sent is not None:
            answer = await deps.upstreams.go_on(x.sent, owner, on_progress)
        else:
            answer = await deps.upstreams.call(x.installation, x.outbound, owner, on_progress)
    except Refusal as refusal:
        until = await renew_credential(x, deps, refusal)
        if until is None:
            raise
        owner = replace(owner, until=until)
        answer = await deps.upstreams.call(x.installation, x.outbound, owner, on_progress)
    _take(x, answer)


def _take(x: Exchange, answer: Json) -> None:
    result, error = answer.get("result"), answer.get("error")
    if isinstance(result, dict):
        x.result = result
        return
    assert x.installation is not None
    text = upstream_text(error.get("message")) if isinstance(error, dict) else ""
    raise Refusal("upstream_error", server=x.installation.entry, text=text)
