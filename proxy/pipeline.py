"""The life of one MCP request, in order. Read this page first: nothing that decides about a call stands elsewhere.

A stage is a function of the exchange and the worker's parts. It fills what it is named for, or raises `Refusal` (or
`MessageFault`, for a message that is wrong). A stage that may have to wait returns an awaitable only when it must,
so a warm call passes through plain functions. The lanes call `at_headers`, read the body, then call `at_message`, and
at the end of every request, whatever became of it, `at_end`. A lane without a task for it calls `at_message_now`
first, which never waits, and goes on with a call (`begin_call`, `UpstreamCall.go_on`) until it needs a task.

A call is not decided twice. What the stages found for one head and one tool is kept with the head as a plan
(`proxy/plans`), taken from a call that was answered here, for as long as everything that they looked at stands. The
next such call of the fast lane goes by it; what is unusual about one, before or after it is sent, comes back here.
"""

from collections.abc import Awaitable, Iterable
from typing import Final

from core.mcp.faults import MessageFault
from core.mcp.message import Batch, Notification, Request, Response
from proxy.answers.batches import answer_batch
from proxy.answers.notifications import accept_notification
from proxy.answers.refused import answer_of_refusal, faulty
from proxy.answers.responses import accept_response, check_response
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.methods import AskedFor, FromMemory, method_of
from proxy.refusals import Refusal
from proxy.room import reserve
from proxy.stages.admit import admit
from proxy.stages.apply_limits import apply_limits
from proxy.stages.apply_policy import apply_policy
from proxy.stages.authenticate import authenticate
from proxy.stages.compose_headers import compose_headers
from proxy.stages.enter_gateway import enter_gateway
from proxy.stages.forward import forward
from proxy.stages.parse import parse
from proxy.stages.receive import receive
from proxy.stages.relay import relay
from proxy.stages.resolve_credential import resolve_credential
from proxy.stages.show_uris import show_uris
from proxy.upstream_call import Stage, UpstreamCall, answer_of, begin, call_key

# On the headers alone: a stranger does not buy the parsing of JSON.
AT_HEADERS: Final[tuple[Stage, ...]] = (
    admit,  #              framing, Host, Origin, path, overload           400 403 404 421 503
    authenticate,  #       exactly one verifier per shape of credential    401 403 429 503
    enter_gateway,  #      this principal sees this gateway, this session  404 503
)
# With the body:
# parse                  one checked message, its era, a session that is  400 404 415
# Then a call of a server, from the stage on that its method's row in `methods.py` names:
# choose_tool            the name, on this gateway                       -32602 -32020
TO_UPSTREAM: Final[tuple[Stage, ...]] = (
    apply_policy,  #       the gateway's ordered rules                     isError
    apply_limits,  #       a place at the upstream, room for a record      isError
    resolve_credential,  # pinned, or the caller's own, then a team's      isError, with a link
    compose_headers,  #    allowlist; the credential always wins
    forward,  #            sent at once, where all for it is at hand
    receive,  #            the one message that answers, after progress;   isError
    #                      era, session and breaker where it was not sent
    show_uris,  #          where two servers may have the same
    relay,  #              in the caller's era, as JSON or last event      isError
)


def at_headers(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Everything that is decided before the body is read. Raises Refusal; what is returned waits, and may as well."""
    left = iter(AT_HEADERS)
    for stage in left:
        pending = stage(x, deps)
        if pending is not None:
            return _go_on(pending, left, x, deps)
    return None


async def _go_on(pending: Awaitable[None], left: Iterable[Stage], x: Exchange, deps: Deps) -> None:
    """The rest, from a stage on that has to wait."""
    await pending
    for stage in left:
        further = stage(x, deps)
        if further is not None:
            await further


def at_message_now(x: Exchange, deps: Deps) -> Answer | None:
    """From the body on, as far as nothing waits: the answer, or None where `at_message` must go on."""
    try:
        parse(x, deps)
        if isinstance(x.message, Response):
            check_response(x)
        if not isinstance(x.message, Request):
            return None
        method = method_of(x)
        return _from_memory(x, deps, method) if isinstance(method, FromMemory) else None
    except Refusal as refusal:
        return answer_of_refusal(x, refusal, deps)
    except MessageFault as fault:
        return faulty(x, fault)


async def at_message(x: Exchange, deps: Deps) -> Answer | None:
    """Everything from the body on; the answer, or None when an event stream has carried it."""
    if x.message is None:
        answer = at_message_now(x, deps)
        if answer is not None:
            return answer
    try:
        if isinstance(x.message, Batch):
            return await answer_batch(x, deps, answer_request)
        if isinstance(x.message, Response):
            return await accept_response(x, deps)
        if isinstance(x.message, Notification):
            return await accept_notification(x, deps)
        return await answer_request(x, deps)
    except Refusal as refusal:
        return answer_of_refusal(x, refusal, deps)
    except MessageFault as fault:
        return faulty(x, fault)


async def answer_request(x: Exchange, deps: Deps) -> Answer | None:
    """One request: from memory, of all servers, or a call, in a task of its own. Raises Refusal or MessageFault."""
    method = method_of(x)
    if isinstance(method, FromMemory):
        return _from_memory(x, deps, method)
    if isinstance(method, AskedFor):
        answer = await method.answer(x, deps)
        reserve(x, deps, len(answer.body))
        return answer
    await deps.calls.run(call_key(x), call(x, deps), ends_with_caller=not x.outlives_caller)
    return answer_of(x, deps)


async def call(x: Exchange, deps: Deps) -> None:
    """One call to its end, whatever that is: fills the answer. Raises Refusal `overloaded`."""
    begun = begin_call(x, deps)
    await begun.rest(begun.step())


def begin_call(x: Exchange, deps: Deps) -> UpstreamCall:
    """The call in a request whose method is known, for a lane without a task for it. Raises Refusal `overloaded`."""
    assert x.choose is not None
    return begin(x, deps, (x.choose, *(TO_UPSTREAM if x.stages is None else x.stages)))


def go_on_from_plan(x: Exchange, deps: Deps) -> UpstreamCall:
    """A call that went by its plan (`proxy/plans`) as far as `forward`, and has become unusual: the rest of it."""
    return UpstreamCall(x, deps, TO_UPSTREAM[TO_UPSTREAM.index(forward) + 1 :])


def _from_memory(x: Exchange, deps: Deps, method: FromMemory) -> Answer:
    answer = method.answer(x, deps)
    reserve(x, deps, len(answer.body))
    return answer
