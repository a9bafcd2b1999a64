"""Which header names a person may configure: on a gateway's passthrough allowlist, and on an entry.

Called when a gateway or an entry is saved. The allowlist names headers of the *caller* that go on to upstreams, so
everything that carries a credential, frames the message or belongs to the protocol is refused: those headers are
composed by the proxy, and a copy from outside would contradict it. Names by which well-known servers take a key, or
the word of a proxy before them on who calls, are refused too; names of a company's own making (`x-user`) are its
administrators' to judge: an upstream that believes such a header believes whoever calls the gateway. An entry's own
headers are the admin's, so there a credential may stand, but nothing that frames or speaks the protocol.
"""

import re
from collections.abc import Mapping, Sequence

from control.registry.broken_rule import BrokenRule
from core.mcp.header_values import safe_header_value

MAX_ALLOWLIST = 32
MAX_FIXED_HEADERS = 32
MAX_NAME = 64
MAX_VALUE = 8_192

# RFC 9110 section 5.6.2, without '_': some servers and gateways read '_' and '-' as the same, which would let
# `x_user` pass as `x-user`.
_NAME = re.compile(r"[!#$%&'*+\-.^`|~0-9a-z]+")

_FRAMING = "describes this hop's message and is written by Archway"
_PROTOCOL = "belongs to the MCP transport and is written by Archway"
_CREDENTIAL = "carries a credential; those come from installations only"
_FORWARDING = "tells who called, which a caller must not write"
_REWRITING = "makes some servers answer another request than the one sent"
_TRACE = "carries the trace context, which Archway writes"

_FRAMING_NAMES = frozenset({
    "host", "connection", "te", "trailer", "trailers", "upgrade", "keep-alive", "expect", "date", "via", "range",
    "http2-settings", "max-forwards", "age", "alt-svc", "server", "origin", "referer",
})  # fmt: skip
_CREDENTIAL_NAMES = frozenset({"authorization", "cookie", "cookie2", "set-cookie", "set-cookie2", "www-authenticate",
                               "authentication-info", "x-api-key", "api-key", "x-auth-token", "x-access-token",
                               "x-csrf-token", "x-xsrf-token", "dpop", "private-token", "x-goog-api-key",
                               "x-amz-security-token", "x-github-token", "x-gitlab-token"})  # fmt: skip
_FORWARDING_NAMES = frozenset({"forwarded", "x-real-ip", "client-ip", "true-client-ip", "cf-connecting-ip"})
_IDENTITY_NAMES = frozenset({"x-client-cert", "client-cert", "client-cert-chain", "x-remote-user", "remote-user"})
_IDENTITY_PREFIXES = ("x-goog-iap-", "x-goog-authenticated-", "x-amzn-", "x-ssl-client-", "x-envoy-")
_REWRITING_NAMES = frozenset({"x-original-url", "x-rewrite-url", "x-http-method-override", "x-http-method",
                              "x-method-override"})  # fmt: skip
_TRACE_NAMES = frozenset({"traceparent", "tracestate", "baggage", "b3"})
_PREFIXES = (
    ("content-", _FRAMING),
    ("transfer-", _FRAMING),
    ("accept", _FRAMING),
    ("if-", _FRAMING),
    ("sec-", _FRAMING),
    ("access-control-", _FRAMING),
    (":", _FRAMING),
    ("mcp-", _PROTOCOL),
    ("archway-", _PROTOCOL),
    ("x-archway-", _PROTOCOL),
    ("proxy-", _CREDENTIAL),
    ("x-forwarded-", _FORWARDING),
    ("x-b3-", _TRACE),
)


def why_not_passed(name: str) -> str | None:
    """Why callers' headers of this name (lower case) are never sent on, or None where they may be."""
    if name in _CREDENTIAL_NAMES:
        return _CREDENTIAL
    if name in _IDENTITY_NAMES or name.startswith(_IDENTITY_PREFIXES):
        return _FORWARDING
    return _REWRITING if name in _REWRITING_NAMES else _why_not_ours_to_set(name)


def check_allowlist(names: Sequence[str], field: str = "header_allowlist") -> list[str]:
    """The names in lower case, sorted, once each; BrokenRule for the first that must not be passed on."""
    if len(names) > MAX_ALLOWLIST:
        raise BrokenRule(field, f"has {len(names)} names; at most {MAX_ALLOWLIST} are taken")
    for number, given in enumerate(names):
        _check_token(given, f"{field}[{number}]")
        reason = why_not_passed(given.lower())
        if reason is not None:
            raise BrokenRule(f"{field}[{number}]", f"{given.lower()} {reason}; take it out")
    return sorted({name.lower() for name in names})


def check_own_header(name: str, field: str) -> str:
    """The name in lower case of a header that an entry itself sends (fixed, of a field, of its credential)."""
    _check_token(name, field)
    reason = _why_not_ours_to_set(name.lower())
    if reason is not None:
        raise BrokenRule(field, f"{name.lower()} {reason}; use another header")
    return name.lower()


def check_fixed_headers(headers: Mapping[str, str], field: str = "fixed_headers") -> dict[str, str]:
    """Header to value with names in lower case, sorted; BrokenRule names the header, never its value."""
    if len(headers) > MAX_FIXED_HEADERS:
        raise BrokenRule(field, f"has {len(headers)} headers; at most {MAX_FIXED_HEADERS} are taken")
    checked: dict[str, str] = {}
    for number, (given, value) in enumerate(headers.items()):
        # A name that is no token is not repeated in the path: it may be a value that somebody put in the wrong place.
        name = check_own_header(given, f"{field}[{number}]")
        if name in checked:
            raise BrokenRule(f"{field}.{name}", "is given twice in different case; keep one")
        checked[name] = check_value(value, f"{field}.{name}")
    return dict(sorted(checked.items()))


def check_value(value: str, field: str) -> str:
    """A header's value as it may be sent; BrokenRule without repeating it."""
    if not value or len(value) > MAX_VALUE:
        raise BrokenRule(field, f"must have 1 to {MAX_VALUE} characters")
    try:
        return safe_header_value(value)
    except ValueError as unsafe:
        raise BrokenRule(field, str(unsafe)) from None


def _check_token(name: str, field: str) -> None:
    if "_" in name:
        raise BrokenRule(field, "has '_', which some servers read as '-'; write '-'")
    if len(name) > MAX_NAME or _NAME.fullmatch(name.lower()) is None or not name.isascii():
        raise BrokenRule(field, f"is not a header name: 1 to {MAX_NAME} letters, digits, '-' (RFC 9110 section 5.1)")


def _why_not_ours_to_set(name: str) -> str | None:
    if name in _FRAMING_NAMES:
        return _FRAMING
    if name == "last-event-id":
        return _PROTOCOL
    if name in _FORWARDING_NAMES:
        return _FORWARDING
    if name in _TRACE_NAMES:
        return _TRACE
    return next((reason for prefix, reason in _PREFIXES if name.startswith(prefix)), None)
