"""Forward: one call to the upstream, with one deadline; progress goes to the caller as it comes."""

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.upstream.answers import Json, dump
from proxy.upstream.conversation import Owner
from proxy.upstream.faults import upstream_text


async def forward(x: Exchange, deps: Deps) -> None:
    """Fill the result. Refuses with a reason of the `upstream_` family."""
    assert x.connection is not None
    assert x.outbound is not None
    token = x.request.meta.get("progressToken")

    async def on_progress(params: Json) -> None:
        deps.slots.add("archway_progress_total")
        params = {**params, "progressToken": token}
        await x.outlet.send_event(dump({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}))

    owner = Owner(x.principal_key, x.session.jti if x.session is not None else None)
    answer = await deps.upstreams.call(x.connection, x.outbound, owner, on_progress)
    result, error = answer.get("result"), answer.get("error")
    if isinstance(result, dict):
        x.result = result
        return
    text = upstream_text(error.get("message")) if isinstance(error, dict) else ""
    raise Refusal("upstream_error", server=x.connection.entry, text=text)
