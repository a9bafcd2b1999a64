"""Enter the gateway: does it exist, does this principal see it, does it accept how they authenticated, and is the
session one of theirs here?

What is no session of theirs is refused here, but for a POST: it may be the `initialize` that opens another one, sent
by a client that did not forget the lost one. `parse` refuses every other message. A gateway that exists but is not
yours and one that does not exist are the same: 404 in the same words, however you authenticated.
"""

from collections.abc import Awaitable
from typing import Final

from core.mcp.versions import MODERN
from core.resolve import Way
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.gateways.compiled import CompiledGateway
from proxy.refusals import Refusal

_TOLD: Final[dict[Way, str]] = {
    "token": "tokens that begin with `arch_`",
    "oauth": "access tokens of Archway",
    "jwt": "tokens of an identity provider",
    "id_jag": "access tokens that an identity provider's assertion was exchanged for",
}
"""Ways of authenticating as callers are told of them."""


def enter_gateway(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill gateway and session. Refuses 401, 404, and 503 where the gateway cannot be had; waits only when cold."""
    gateway = deps.gateways.held(x.gateway_name)
    if gateway is None:
        return _load(x, deps)
    _enter(x, gateway)
    return _session(x, deps)


async def _load(x: Exchange, deps: Deps) -> None:
    _enter(x, await deps.gateways.load(x.gateway_name, x.address))
    pending = _session(x, deps)
    if pending is not None:
        await pending


def _enter(x: Exchange, gateway: CompiledGateway) -> None:
    caller = x.caller
    assert caller.principal is not None
    if not gateway.admits(caller.principal):
        raise Refusal("gateway_unknown")
    x.gateway = gateway
    if not gateway.accepts(caller.way):
        raise Refusal("way_not_accepted", way=_TOLD[caller.way])


def _session(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Open the legacy session that the request names. A modern request has none, whatever it sends."""
    text = x.headers.get("mcp-session-id")
    if text is None or x.headers.get("mcp-protocol-version", "").strip() == MODERN:
        return None
    assert x.gateway is not None
    x.session = deps.sessions.known(text, x.gateway.id, x.caller)
    return None if x.session is not None else _open(x, deps, text)


async def _open(x: Exchange, deps: Deps, text: str) -> None:
    assert x.gateway is not None
    x.session = await deps.sessions.open(text, x.gateway.id, x.caller)
    x.session_lost = x.session is None
    if x.session_lost and x.head.method != "POST":
        raise Refusal("session_unknown")
