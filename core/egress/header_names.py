"""Which headers may go to a server, by their names: of those that a caller sends, and of those that an entry sends.

One rule for both planes. Control asks when an allowlist or an entry is saved (`control/registry/headers.py`), and a
proxy asks again when it compiles a gateway (`proxy/gateways/compiled.py`): a row may have been saved before a name
came on these lists. Headers of the *caller* that carry a credential, frame the message or belong to the
protocol never go on: the proxy composes those itself, and a copy from outside would contradict it. Nor do names by
which well-known servers take a key, or believe a proxy before them about who calls. Names of a company's own making
(`x-user`) are its administrators' to judge: a server that believes such a header believes whoever calls the gateway.
An entry's own headers are the administrator's, so a credential may stand there, but nothing that frames the message
or speaks the protocol. Values are left to `core/mcp/header_values.py`.
"""

import re
from typing import Final

MAX_NAME: Final = 64

# RFC 9110 section 5.6.2, without '_': some servers and gateways read '_' and '-' as the same, which would let
# `x_user` pass as `x-user`.
_NAME = re.compile(r"[!#$%&'*+\-.^`|~0-9a-z]+")
_SIGN = re.compile(r"[^0-9a-z]")
_UNDERSCORE = "has '_', which some servers read as '-'; write '-'"
_NO_NAME = f"is not a header name: 1 to {MAX_NAME} letters, digits, '-' (RFC 9110 section 5.1)"

_FRAMING = "describes this hop's message and is written by Archway"
_PROTOCOL = "belongs to the MCP transport and is written by Archway"
_CREDENTIAL = "carries a credential; those come from installations only"
_FORWARDING = "says who called, which a caller must not write"
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


def look_alike(name: str) -> str:
    """The same for all names that some server may read as one: case, and signs that become `_` in a CGI variable."""
    return _SIGN.sub("-", name.lower())


def why_no_name(name: str) -> str | None:
    """What is wrong with a header's name, or None. The name is not repeated: it may be a value in the wrong place."""
    if "_" in name:
        return _UNDERSCORE
    return None if len(name) <= MAX_NAME and name.isascii() and _NAME.fullmatch(name.lower()) else _NO_NAME


def why_not_passed(name: str) -> str | None:
    """Why a caller's header of this name, in whatever case, is never sent on; None where it may be."""
    lower = name.lower()
    if lower in _CREDENTIAL_NAMES:
        return _CREDENTIAL
    if lower in _IDENTITY_NAMES or f"{lower}-".startswith(_IDENTITY_PREFIXES):
        return _FORWARDING
    return _REWRITING if lower in _REWRITING_NAMES else why_not_set(name)


def why_not_set(name: str) -> str | None:
    """Why an entry may not send a header of this name, in whatever case, itself; None where it may."""
    wrong = why_no_name(name)
    name = name.lower()
    if wrong is not None or name in _FRAMING_NAMES:
        return wrong or _FRAMING
    if name == "last-event-id":
        return _PROTOCOL
    if name in _FORWARDING_NAMES:
        return _FORWARDING
    if name in _TRACE_NAMES:
        return _TRACE
    whole = f"{name}-"  # a family's bare name is one of the family
    return next((reason for prefix, reason in _PREFIXES if whole.startswith(prefix)), None)
