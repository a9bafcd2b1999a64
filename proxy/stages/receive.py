"""Receive: the one message that answers the call; progress and logs go to the caller as they come.

A call whose credential the upstream refused is sent once more with a newer one, if there is one. Where a server asks
first, the caller is asked here as their era has it: `ask_caller` on the call's stream, `ask_in_rounds` where a modern
server asks a legacy caller, `suspend` where a legacy server asks a modern one. A modern server's question to a modern
caller is a result like any other, up to `relay`.
"""

from collections.abc import Awaitable
from dataclasses import replace

import orjson

from core.mcp.extensions import PASSED_ON
from core.mcp.faults import INVALID_PARAMS, METHOD_NOT_FOUND, MISSING_CAPABILITY, RESOURCE_NOT_FOUND, MessageFault
from core.mcp.methods import PROGRESS, RESOURCES_READ
from core.mcp.shapes import log_for_caller, progress_for_caller
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.limits.logged import Logged
from proxy.refusals import Refusal
from proxy.room import hold_read, no_room
from proxy.sessions.call_state import MOST_ROUNDS
from proxy.sessions.suspended_calls import SuspendedCall
from proxy.stages.ask_caller import ask_caller
from proxy.stages.ask_in_rounds import again_with_answers, asks_legacy
from proxy.stages.links_first import links_first
from proxy.stages.renew_credential import renew_credential
from proxy.stages.suspend import begin_call, resume_call, why_not
from proxy.telemetry.metrics import PROGRESS as PROGRESS_TOLD
from proxy.upstream.answers import Json
from proxy.upstream.faults import upstream_text
from proxy.upstream.running_call import CallersSide, Owner


def receive(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill the result; waits where the answer is more than one whole message. Refuses with an `upstream_` reason."""
    answer = deps.upstreams.sent.received(x.sent) if x.sent is not None else None
    if answer is None:
        return _converse(x, deps)
    _take(x, deps, answer)
    if x.result is not None and asks_legacy(x, x.result):
        return _ask_on(x, deps, Owner(x.caller.key, x.session.jti if x.session is not None else None))
    return None


class _CallersSide:
    """The way to the caller while the call runs: notifications as they come, and questions of the server."""

    def __init__(self, x: Exchange, deps: Deps) -> None:
        self._x, self._deps, self._logged = x, deps, Logged()

    async def tell(self, method: str, params: Json) -> None:
        """Pass a notification on, if it is for this caller."""
        x = self._x
        if method == PROGRESS:
            self._deps.slots.add(PROGRESS_TOLD)
            told: Json | None = progress_for_caller(params, x.request.meta.get("progressToken"))
        else:
            told = log_for_caller(params, x.log_level)
            told = self._logged.take(told) if told is not None else None
        if told is not None:
            await x.outlet.send_event(orjson.dumps({"jsonrpc": "2.0", "method": method, "params": told}))

    async def ask(self, method: str, params: Json) -> Json:
        """Ask the caller."""
        return await ask_caller(self._x, self._deps, method, params)


class _SuspendingSide:
    """The same for a modern caller, who is asked by the result, while the call waits."""

    def __init__(self, x: Exchange, deps: Deps, call: SuspendedCall) -> None:
        self._x, self._deps, self._call = x, deps, call
        call.listener = _CallersSide(x, deps).tell

    async def tell(self, method: str, params: Json) -> None:
        """Pass a notification on, while the caller is there."""
        await self._call.tell(method, params)

    async def ask(self, method: str, params: Json) -> Json:
        """Ask the caller, unless this may not be asked."""
        why = why_not(self._x, self._deps, {"method": method, "params": params})
        if why is not None:
            return {"error": {"code": METHOD_NOT_FOUND, "message": f"This client cannot be asked that: {why}."}}
        return await self._call.ask(method, params)


async def _converse(x: Exchange, deps: Deps) -> None:
    assert x.installation is not None

    def hold(size: int) -> None:
        x.large = True
        if not hold_read(x, deps, size):
            raise no_room(x, deps)

    owner = Owner(x.caller.key, x.session.jti if x.session is not None else None, hold)
    try:
        answer = await _answer(x, deps, owner)
    except Refusal as refusal:
        until = await renew_credential(x, deps, refusal)
        if until is None:
            raise
        x.sent = None
        answer = await _answer(x, deps, replace(owner, until=until))
    if answer is not None:
        _take(x, deps, answer)
        await _ask_on(x, deps, owner)


async def _answer(x: Exchange, deps: Deps, owner: Owner) -> Json | None:
    """The message that answers; None where a modern caller is asked in its place."""
    if x.retry is not None and x.retry.suspended:
        return await resume_call(x, deps)
    assert x.outbound is not None
    if x.era is Era.MODERN and x.outbound.capabilities:
        return await begin_call(x, deps, lambda call: _told_by(x, deps, owner, _SuspendingSide(x, deps, call)))
    return await _told_by(x, deps, owner, _CallersSide(x, deps))


async def _told_by(x: Exchange, deps: Deps, owner: Owner, beside: CallersSide) -> Json:
    assert x.installation is not None
    assert x.outbound is not None
    if x.sent is not None:
        return await deps.upstreams.go_on(x.sent, owner, beside)
    return await deps.upstreams.call(x.installation, x.outbound, owner, beside)


async def _ask_on(x: Exchange, deps: Deps, owner: Owner) -> None:
    """Where a modern server asks a legacy caller in place of a result: ask on the call's stream, and call again."""
    for _ in range(MOST_ROUNDS):
        if x.result is None or not asks_legacy(x, x.result):
            return
        assert x.outbound is not None
        x.outbound = await again_with_answers(x, deps, x.outbound, x.result)
        x.sent = None
        _take(x, deps, await _told_by(x, deps, owner, _CallersSide(x, deps)))


def _take(x: Exchange, deps: Deps, answer: Json) -> None:
    result, error = answer.get("result"), answer.get("error")
    if isinstance(result, dict):
        x.result = result
        return
    assert x.installation is not None
    assert x.target is not None
    code = error.get("code") if isinstance(error, dict) else None
    x.result = x.target.instead_of(code)
    if x.result is not None:
        return
    text = upstream_text(error.get("message")) if isinstance(error, dict) else ""
    if isinstance(error, dict):
        x.result = links_first(x, deps, error, text)
        if x.result is not None:
            return
    if code == MISSING_CAPABILITY and isinstance(error, dict):
        _raise_missing(x, error.get("data"), text)
    if x.target.is_callers_fault(code):
        raise _callers_fault(x, text)
    raise Refusal("upstream_error", server=x.installation.entry, text=text)


def _callers_fault(x: Exchange, text: str) -> MessageFault:
    """There is no such thing, or its parameters are wrong: so says the server, in the words of the caller's era."""
    assert x.installation is not None
    read = x.request.method == RESOURCES_READ
    told = RESOURCE_NOT_FOUND if read and x.era is Era.LEGACY else INVALID_PARAMS
    words = f"{x.installation.entry} says: {text}" if text else f"{x.installation.entry} knows no such thing."
    return MessageFault(told, words, 200, x.request.id, {"uri": x.request.params["uri"]} if read else None)


def _raise_missing(x: Exchange, data: object, text: str) -> None:
    """The server needs what the caller did not declare: told to a modern one who could; else it changes nothing."""
    assert x.gateway is not None
    required = data.get("requiredCapabilities") if isinstance(data, dict) else None
    if x.era is not Era.MODERN or not isinstance(required, dict) or not _may_be_declared(required, x.gateway.may_ask):
        return
    words = text or "This needs a client that can do more."
    told: dict[str, object] = {"requiredCapabilities": required}
    raise MessageFault(MISSING_CAPABILITY, words, 400, x.request.id, told)


def _may_be_declared(required: dict[str, object], may_ask: frozenset[str]) -> bool:
    """Whether a server would be told of all these capabilities, if a caller declared them here."""
    extensions = required.get("extensions", {})
    known = isinstance(extensions, dict) and extensions.keys() <= {*PASSED_ON}
    return known and required.keys() - {"extensions"} <= may_ask
