"""Everything that can go wrong with a call, in one table: the reason's word and the views of it.

Stages raise `Refusal` (the caller is at fault, or we are not able) and the upstream side `UpstreamFault`; both carry
a stable `reason`. `proxy/answers/refused.py` turns it into what the caller gets, by when it was found:

* `http`: before the message is read; an HTTP status and a JSON-RPC error with id null;
* `rpc`: a JSON-RPC error for the request's id, at HTTP 200;
* `call`: as the method's row in `proxy/methods.py` says: a tool result with `isError`, whose text a model can relay
  and a person can act on, and `_meta["archway/refusal"]` for programs; or a JSON-RPC error again, with the same in
  its data, where a method's results cannot say that something went wrong.

Codes outside -32768..-32000 are ours; the protocol reserves the rest.
"""

from dataclasses import dataclass
from typing import Final, Literal

RETRY_AFTER_S: Final = 1
"""What a caller is told of an overload; it ends within a second or so of its cause (`proxy/limits/overload.py`)."""


CALL_REFUSED: Final = -31000
"""The code of every refusal of a call that is a JSON-RPC error; `data.code` has the reason."""
RefusedAs = Literal["result", "error"]
"""What the refusal of a call is, by its method."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the table of refusals: what a caller gets for one reason."""

    kind: Literal["http", "rpc", "call"]
    status: int
    code: int
    retryable: bool
    sentence: str
    """With `{named}` places for the refusal's words."""
    decided_by_us: bool = True
    """A call's record says `refused` where Archway decided against it, `allowed` where it went wrong further on."""

    def is_result(self, refused_as: RefusedAs | None) -> bool:
        """Whether a caller whose method is refused so gets a result, and no JSON-RPC error."""
        return self.kind == "call" and refused_as == "result"


def _http(status: int, code: int, sentence: str, *, retryable: bool = False) -> Reason:
    return Reason("http", status, code, retryable, sentence)


def _call(sentence: str, *, retryable: bool = False) -> Reason:
    return Reason("call", 200, CALL_REFUSED, retryable, sentence)


def _beyond(sentence: str, *, retryable: bool = False) -> Reason:
    """A call again, of which something went wrong at the upstream, or which was ended by the caller."""
    return Reason("call", 200, CALL_REFUSED, retryable, sentence, decided_by_us=False)


TABLE: Final[dict[str, Reason]] = {
    # admit
    "framing": _http(400, -32600, "The request is not acceptable HTTP: {what}."),
    "header_repeated": _http(400, -32600, "The header {name} must be sent only once."),
    "header_value": _http(
        400, -32600, "A header value has characters other than visible ASCII, space, tab; encode it."
    ),
    "host_unknown": _http(421, -31421, "This server does not serve that host name; use the public URL."),
    "origin_foreign": _http(403, -31403, "Requests from this origin are not allowed."),
    "path_unknown": _http(404, -31404, "There is nothing at this path. Gateways are at /v1/mcp/<slug>."),
    "no_sign_in": _http(
        404,
        -31404,
        "Nobody signs in at this URL: there is no such gateway, or it takes only tokens that begin with `arch_`, as "
        "`Authorization: Bearer arch_...`.",
    ),
    "method_not_allowed": _http(405, -31405, "The method {method} is not supported here."),
    "not_acceptable": _http(406, -31406, "The Accept header must allow {wanted}."),
    "media_type": _http(415, -31415, "The Content-Type must be application/json."),
    "body_packed": _http(
        415, -31415, "Compressed request bodies are not accepted; send it without Content-Encoding."
    ),
    "body_too_large": _http(413, -31413, "The request body is larger than {limit} bytes."),
    "header_slow": _http(408, -31408, "The headers did not arrive within {seconds:g} s.", retryable=True),
    "body_slow": _http(408, -31408, "The request body did not arrive within {seconds:g} s.", retryable=True),
    "overloaded": _http(503, -31503, "The server is busy; retry after {retry_after} s.", retryable=True),
    # passed on to control
    "sign_in_away": _http(
        503,
        -31503,
        "The pages and endpoints of sign-in cannot be reached now; retry soon. Whoever is signed in can go on.",
        retryable=True,
    ),
    # authenticate
    "not_authenticated": _http(
        401,
        -31401,
        "Have your client sign you in, or send a token as `Authorization: Bearer arch_...`: you make one on the page "
        "My access, or an administrator does with `archway tokens create`.",
    ),
    "token_for_api": _http(
        403,
        -31403,
        "This token is for the admin API and calls no gateways; an administrator makes one for gateways with "
        "`archway tokens create`.",
    ),
    "scope_missing": _http(
        403, -31403, "This access token does not allow `{scope}`; sign in again and allow it to call this gateway."
    ),
    "too_many_unknown": _http(429, -31429, "Too many unknown callers; retry after {retry_after} s.", retryable=True),
    "cannot_authenticate": _http(503, -31503, "The token cannot be checked now; retry soon.", retryable=True),
    # enter the gateway
    "gateway_unknown": _http(404, -31404, "There is no such gateway for this caller; check the URL."),
    "way_not_accepted": _http(
        401, -31401, "This gateway does not accept {way}; sign in as it asks for, or ask an administrator."
    ),
    "gateway_unavailable": _http(503, -31503, "The gateway cannot be loaded now; retry soon.", retryable=True),
    "session_unknown": _http(404, -31404, "There is no such session; open a new one with initialize."),
    "session_missing": _http(
        400,
        -32600,
        "The header Mcp-Session-Id is missing; MCP clients open a session and call tools by POST to this URL.",
    ),
    "stream_open": _http(409, -31409, "This session already has an open stream."),
    "response_unasked": _http(400, -32600, "This server has no pending request for that response."),
    "notification_unknown": _http(400, -32600, "This notification is not known to MCP."),
    # choose the tool
    "tool_unknown": Reason("rpc", 200, -32602, False, "Unknown tool: {tool}"),
    # choose the prompt or resource
    "prompt_unknown": Reason("rpc", 200, -32602, False, "Unknown prompt: {prompt}"),
    "resource_unknown": Reason("rpc", 200, -32602, False, "Unknown resource: {uri}"),
    "resource_not_found": Reason("rpc", 200, -32002, False, "Unknown resource: {uri}"),
    "no_news": _call("{server} does not say when its resources change."),
    "too_many_subscriptions": _call("No more than {most} subscriptions are kept at once; unsubscribe from some."),
    "subscriptions_away": _call("Subscriptions cannot be kept now; retry soon.", retryable=True),
    "no_session": _call(
        "News of a resource comes on the stream of a session; open one with initialize, and send Mcp-Session-Id."
    ),
    "wrong_arguments": _call("{tool} does not take these arguments: see {why}."),
    # limits and policy
    "busy": _call("{server} has too many calls in flight; try again in a moment.", retryable=True),
    "quarantined": _call("{tool} was quarantined by an administrator and cannot be called."),
    "held_back": _call("{tool} has changed and is waiting for an administrator's approval."),
    "only_as_task": _call("{tool} works only as a task of MCP 2025-11-25, which Archway does not run."),
    "audit_unavailable": _call(
        "This gateway requires a record of each call, and none can be kept at the moment; try again later.",
        retryable=True,
    ),
    # resolve the credential
    "not_allowed": _call("{why}"),
    "credential_missing": _call("{why}"),
    "credential_ambiguous": _call("{why}"),
    "installation_gone": _call("{why}"),
    "needs_sign_in": _call("{why}"),
    "provider_away": _call("{why}", retryable=True),
    "server_starting": _call("{why}", retryable=True),
    "server_failed": _call("{why}"),
    "credential_unavailable": _call(
        "The credential for {server} cannot be looked up now; retry soon.", retryable=True
    ),
    # forward and relay
    "server_restarting": _beyond("{server} {what}; try again in {seconds:g} s.", retryable=True),
    "upstream_refused": _beyond("{server} cannot be reached.", retryable=True),
    "upstream_resting": _beyond("{server} keeps failing, so calls to it are paused for a moment.", retryable=True),
    "upstream_forbidden": _call("{server} has an address that Archway must not connect to; tell an administrator."),
    "upstream_egress": _call(
        "{server} is at an address that the egress policy of the environment {environment} does not allow; tell an "
        "administrator."
    ),
    "upstream_tls": _beyond("{server} could not prove its identity (TLS); tell an administrator."),
    "upstream_broken": _beyond("{server} sent an answer that cannot be used."),
    "upstream_too_large": _beyond("{server} sent an answer that is larger than {limit} {unit}."),
    "upstream_slow": _beyond("{server} did not answer within {seconds:g} s."),
    "upstream_status": _beyond("{server} answered with HTTP status {status}."),
    "upstream_session": _beyond(
        "{server} refused the call (HTTP status {status}), perhaps since it ended the session before. Try again.",
        retryable=True,
    ),
    "upstream_credential": _beyond("{server} does not accept the credential that Archway has for it."),
    "upstream_era": _beyond("{server} speaks no MCP version that Archway supports: {versions}."),
    "upstream_error": _beyond("{server} answered with an error."),
    "upstream_asks": _beyond("{server} asked the client for something that this gateway does not pass on."),
    "question_gone": _beyond("The call that you answer waits no more; call again from the beginning."),
    "cancelled": _beyond("The call was cancelled."),
    "access_ended": _call(
        "Your access ended while this call ran, so it was stopped; sign in again or ask an administrator."
    ),
    "installation_ended": _call(
        "This call was stopped while it ran, because the installation that it used was removed or is not yours any "
        "more."
    ),
}


class Refusal(Exception):
    """The call goes no further. `words` fill the reason's sentence; `detail` is for the log alone."""

    def __init__(
        self, reason: str, *, detail: str = "", link: str = "", text: str = "", said: str = "", **words: object
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail[:256]
        self.link = link
        self.text = text
        """The upstream's own words, told as its own: never inside our sentence."""
        self.said = said
        """More of them, for an admin alone: a server may repeat its credential there."""
        self.words = words

    @property
    def row(self) -> Reason:
        """The reason's row of the table."""
        return TABLE[self.reason]

    @property
    def sentence(self) -> str:
        """The sentence that the caller is told."""
        return self.row.sentence.format(**self.words)


def overloaded() -> Refusal:
    """The refusal of a request for which this worker has no room now."""
    return Refusal("overloaded", retry_after=RETRY_AFTER_S)
