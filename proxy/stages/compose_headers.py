"""Compose: the headers and the message for the upstream, built from nothing.

Order of precedence: what is told of the caller over the credential over the entry's own headers over the caller's
allow-listed ones, of which none goes on that looks like a header in which something is told. A name in the caller's
`Connection` header is hop-by-hop (RFC 9110 section 7.6.1) and goes nowhere; a stdio server gets no header. What an
allowlist may never name is in `core/egress/header_names.py`.
"""

from core.egress.header_names import look_alike
from core.mcp.exact_numbers import Exact
from core.mcp.extensions import declared_extensions
from core.mcp.header_values import SafeHeaderValue
from core.mcp.message import Request
from core.mcp.methods import (
    MAY_ASK,
    META_CLIENT_CAPABILITIES,
    META_CLIENT_INFO,
    META_LOG_LEVEL,
    META_PROTOCOL_VERSION,
    OF_TASKS,
)
from core.mcp.param_headers import param_header_values
from core.mcp.questions import passed_on
from core.mcp.versions import Era
from core.snapshot import Route
from proxy.deps import Deps
from proxy.exchange import NO_STREAM, Exchange, Retry, Target
from proxy.sessions.call_state import place_of
from proxy.sessions.client_capabilities import capabilities_of
from proxy.stages.take_answers import wrong_state
from proxy.tracing.passing import pass_trace_context
from proxy.upstream.outbound import Outbound

_OURS = "io.modelcontextprotocol/"
_PROGRESS_TOKENS = (str, int, Exact)
_ENVELOPE = frozenset({META_PROTOCOL_VERSION, META_CLIENT_CAPABILITIES, META_CLIENT_INFO, "progressToken"})
"""What nearly every `_meta` is made of; nothing of it goes on."""


def compose_headers(x: Exchange, deps: Deps) -> None:
    """Fill the outbound request. Raises MessageFault where answers, or a task, are another server's."""
    target, request = x.target, x.request
    assert target is not None
    assert x.installation is not None
    asked = request.meta
    passed = passed_through(x, target.route)
    if x.installation.not_passed:
        _say_who(x, passed)
    meta = {} if _ENVELOPE.issuperset(asked) else _vendors(asked)
    pass_trace_context(x.trace, x.headers, meta, passed, target.route, deps.settings)
    method, params = target.asks(request.params)
    if x.retry is not None:
        params = _with_answers(x, x.retry, params)
    x.outbound = Outbound(
        method,
        params,
        x.installation.own_headers,
        passed,
        meta,
        _mirrored(target, request) if target.param_headers else {},
        wants_progress=isinstance(asked.get("progressToken"), _PROGRESS_TOKENS),
        capabilities=_may_be_asked(x),
        extensions=declared_extensions(asked.get(META_CLIENT_CAPABILITIES)) if x.era is Era.MODERN else {},
        on_stream=x.outlet is not NO_STREAM,
        hears=x.era is Era.LEGACY or META_LOG_LEVEL in asked,
        log_level=x.log_level,
    )


def _with_answers(x: Exchange, retry: Retry, params: dict[str, object]) -> dict[str, object]:
    """The same call again with the answers, or a request about a task, for the server that has to do with it."""
    assert x.installation is not None
    if retry.place and retry.place != place_of(x.installation):
        raise wrong_state(x)
    if retry.suspended or retry.answers is None:
        return params
    told = {**params, "inputResponses": retry.answers}
    return told if retry.state is None else {**told, "requestState": retry.state}


def _may_be_asked(x: Exchange) -> dict[str, object]:
    """What this caller can be asked for, as far as the gateway allows it: a legacy one on the stream of its call."""
    assert x.gateway is not None
    if x.era is Era.MODERN and (x.request.method in MAY_ASK or x.request.method in OF_TASKS):
        declared = x.request.meta.get(META_CLIENT_CAPABILITIES)
        return passed_on(declared, x.gateway.may_ask) if declared else {}
    if x.session is None or not x.session.capabilities or x.outlet is NO_STREAM:
        return {}
    return passed_on(capabilities_of(x.session), x.gateway.may_ask)


def _mirrored(target: Target, request: Request) -> dict[str, SafeHeaderValue]:
    """The headers that mirror arguments."""
    arguments = request.params.get("arguments", {})
    assert isinstance(arguments, dict)
    return param_header_values(target.param_headers, arguments)


def _vendors(meta: dict[str, object]) -> dict[str, object]:
    """What the protocol leaves to others, and the trace context."""
    return {key: value for key, value in meta.items() if key != "progressToken" and not key.startswith(_OURS)}


def _say_who(x: Exchange, passed: dict[str, str]) -> None:
    """The caller's own words of what Archway tells go nowhere; instead of them stands the request's identifier."""
    assert x.installation is not None
    for name in [name for name in passed if look_alike(name) in x.installation.not_passed]:
        del passed[name]
    if x.installation.request_id_header:
        passed[x.installation.request_id_header] = x.request_id


def passed_through(x: Exchange, route: Route) -> dict[str, str]:
    """The caller's headers that the gateway's allowlist and the entry let through on this route."""
    assert x.gateway is not None
    headers = x.headers
    if route.stdio or not route.passthrough:
        return {}
    passed = {name: headers[name] for name in x.gateway.allowlist if name in headers}
    if passed and "connection" in headers:
        for name in headers["connection"].split(","):
            passed.pop(name.strip().lower(), None)
    return passed
