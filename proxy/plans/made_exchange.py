"""The exchange that the stages would have made of a planned call, up to where it was sent.

`planned_call.py` makes one where a call becomes unusual. What a plan keeps is filled in as it is; what the stages
`parse` and `compose_headers` make of the message is made by them.
"""

from typing import Protocol

from core.mcp.message import Request
from core.mcp.methods import TOOLS_CALL
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import NOBODY, Exchange, Head
from proxy.methods import method_of
from proxy.plans.plan import Plan
from proxy.plans.usual import Json
from proxy.stages.compose_headers import compose_headers


class Sent(Protocol):
    """A call that was sent by its plan."""

    plan: Plan
    body: bytes
    message: Json
    request_id: str
    began: float
    time: float
    upstream_id: int
    bytes_held: int


def exchange_of(call: Sent, head: Head, deps: Deps) -> Exchange:
    """The exchange of this call, without a way back and without what waits for its answer (`Exchange.sent`)."""
    plan, message, judged = call.plan, call.message, head.judged
    assert judged is not None
    x = Exchange(head, NOBODY, call.request_id, call.began, call.time)
    x.headers, x.gateway_name, x.address = judged.headers, judged.gateway_name, judged.address
    x.caller, x.gateway, x.session = plan.caller, plan.gateway, plan.session
    x.body, x.bytes_held = call.body, call.bytes_held
    params = message["params"]
    x.era = Era.MODERN if plan.modern else Era.LEGACY
    x.message = Request(message["id"], TOOLS_CALL, params, x.era, params.get("_meta", {}))
    method_of(x)
    x.target, x.holds_slot, x.installation = plan.target, True, plan.installation
    compose_headers(x, deps)
    assert x.outbound is not None
    x.outbound.id = call.upstream_id
    return x
