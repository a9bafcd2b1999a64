"""Compose: the headers and the message for the upstream, built from nothing.

Order of precedence: the credential over the entry's own headers over the caller's allow-listed ones. A name in the
caller's `Connection` header is hop-by-hop (RFC 9110 section 7.6.1) and goes nowhere; a stdio server gets no header.
"""

from core.mcp.param_headers import param_header_values
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.tracing.passing import pass_trace_context
from proxy.upstream.outbound import Outbound, own_headers

_OURS = "io.modelcontextprotocol/"
_PROGRESS_TOKENS = (str, int)


def compose_headers(x: Exchange, deps: Deps) -> None:
    """Fill the outbound request. Refuses nothing."""
    assert x.tool is not None
    assert x.connection is not None
    tool, params = x.tool.tool, x.request.params
    arguments = params.get("arguments", {})
    assert isinstance(arguments, dict)
    own = own_headers(x.connection)
    passed = passed_through(x)
    headers = passed | own if passed else own
    asked = x.request.meta
    meta = {key: value for key, value in asked.items() if key != "progressToken" and not key.startswith(_OURS)}
    pass_trace_context(x, deps, meta, headers)
    x.outbound = Outbound(
        "tools/call" if tool.kind == "tool" else "resources/read",
        {"name": tool.upstream, "arguments": arguments} if tool.kind == "tool" else {"uri": tool.upstream},
        headers,
        meta=meta,
        param_headers=param_header_values(x.tool.param_headers, arguments) if x.tool.param_headers else {},
        wants_progress=isinstance(asked.get("progressToken"), _PROGRESS_TOKENS),
    )


def passed_through(x: Exchange) -> dict[str, str]:
    """The caller's headers that the gateway's allowlist and the entry let through."""
    assert x.tool is not None
    assert x.gateway is not None
    route, headers = x.tool.tool.route, x.headers
    if route.stdio or not route.passthrough:
        return {}
    passed = {name: headers[name] for name in x.gateway.allowlist if name in headers}
    if passed and "connection" in headers:
        for name in headers["connection"].split(","):
            passed.pop(name.strip().lower(), None)
    return passed
