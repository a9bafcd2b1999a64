"""From a refusal to what the caller gets, by when it was found (the table in `proxy/refusals.py`); from a bug too."""

from typing import Final

import orjson

from core.jwt import CALL_SCOPE
from core.mcp.faults import INTERNAL_ERROR, MessageFault, error_message, result_message
from core.mcp.message import Request
from core.mcp.shapes import META_REFUSAL, result_for_modern
from core.mcp.versions import Era
from proxy.answers.at_the_door import record_at_door
from proxy.answers.protected_resource import metadata_url
from proxy.answers.sign_in_steps import note_refusal
from proxy.answers.url_elicitation import question_of
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.our_name import server_info
from proxy.refusals import Refusal

_CHALLENGED: Final = {
    "not_authenticated": ', error="invalid_token", error_description="The token is not valid here."',
    "way_not_accepted": ', error="invalid_token", error_description="This gateway takes no token of this kind."',
    "token_for_api": ', error="insufficient_scope", error_description="The token is not for gateways."',
    "scope_missing": ', error="insufficient_scope", error_description="The token does not allow calling gateways."',
}
"""Refusals that tell what a token would have to be, with the error of the challenge."""


def answer_of_refusal(x: Exchange, refusal: Refusal, deps: Deps) -> Answer:
    """The whole answer to a refused request."""
    deps.slots.count_refusal(refusal.reason)
    deps.refusal_log.note(
        x.address or x.head.peer,
        refusal,
        x.request_id,
        principal=x.caller.key,
        gateway=x.gateway.snapshot.slug if x.gateway is not None else "",
    )
    x.refusal, x.status, x.reason = refusal, refusal.reason, refusal.sentence
    row = refusal.row
    if row.kind == "http" and not x.runs:
        if x.caller.key:
            record_at_door(x, deps)
        note_refusal(x, refusal, deps)
    if row.kind == "http" or not isinstance(x.message, Request):
        return _at_http(x, refusal, deps)
    question = question_of(x, refusal, _details(x, refusal), deps) if refusal.link else None
    if question is not None:
        return question
    if row.is_result(x.refused_as):
        return Answer(200, orjson.dumps(result_message(x.message.id, _as_result(x, refusal))))
    data = _details(x, refusal) if row.kind == "call" else _data(x) | _named(x, refusal)
    return Answer(200, orjson.dumps(error_message(x.message.id, row.code, sentence_of(refusal), data)))


def faulty(x: Exchange, fault: MessageFault) -> Answer:
    """The answer to a wrong message."""
    fault.data = (fault.data or {}) | _data(x)
    x.reason = fault.message
    return Answer(fault.http_status, orjson.dumps(fault.body()))


def internal_error(x: Exchange) -> Answer:
    """What a caller learns of a bug: the request id, and nothing else."""
    request_id = x.message.id if isinstance(x.message, Request) else None
    status = 200 if isinstance(x.message, Request) else 500
    return Answer(status, orjson.dumps(error_message(request_id, INTERNAL_ERROR, "Internal error.", _data(x))))


def _data(x: Exchange) -> dict[str, object]:
    """In every error of ours: with it an operator finds the line in the log and the call's record."""
    return {"request_id": x.request_id}


def _named(x: Exchange, refusal: Refusal) -> dict[str, object]:
    """The resource that is not there, as its caller named it: what the protocol has in the data of such an error."""
    uri = x.request.params.get("uri")
    return {"uri": uri} if "uri" in refusal.words and isinstance(uri, str) else {}


def _at_http(x: Exchange, refusal: Refusal, deps: Deps) -> Answer:
    row = refusal.row
    answer = Answer(row.status, http_body(refusal, x.request_id))
    if row.status == 405:
        answer.headers["Allow"] = "GET, POST, DELETE, OPTIONS"  # RFC 9110 section 15.5.6
    if refusal.reason in _CHALLENGED:
        answer.headers["WWW-Authenticate"] = challenge(x, deps, _error_of(refusal))
    if "retry_after" in refusal.words:
        answer.headers["Retry-After"] = str(refusal.words["retry_after"])
    # A body that was not read would be taken for the next request.
    answer.close = not x.body and x.head.method not in {"GET", "HEAD", "DELETE", "OPTIONS"}
    return answer


def http_body(refusal: Refusal, request_id: str) -> bytes:
    """The JSON-RPC error, without an id, of a request that was refused before its message was read."""
    return orjson.dumps(error_message(None, refusal.row.code or -32600, refusal.sentence, {"request_id": request_id}))


def _error_of(refusal: Refusal) -> str:
    """The error of the challenge; none where no token was presented (RFC 6750 section 3.1)."""
    if refusal.reason == "not_authenticated" and "presented" not in refusal.words:
        return ""
    return _CHALLENGED[refusal.reason]


def challenge(x: Exchange, deps: Deps, error: str) -> str:
    """`WWW-Authenticate` (RFC 6750 section 3, RFC 9728 section 5.1).

    It is the same for a gateway that exists and for one that does not. Only the scope is left out where a gateway
    takes the tokens of an identity provider alone, which knows none of ours: the gateway's metadata tells as much.
    """
    gateway = deps.gateways.peek(x.gateway_name)
    of_provider = gateway is not None and gateway.accepts("jwt") and not gateway.accepts("oauth")
    scope = "" if of_provider else f', scope="{CALL_SCOPE}"'
    return f'Bearer resource_metadata="{metadata_url(x.gateway_name, deps)}"{scope}{error}'


def sentence_of(refusal: Refusal) -> str:
    """What a person is told, with the link that helps."""
    if refusal.link and refusal.link not in refusal.sentence:  # control's sentences mostly end with it
        return f"{refusal.sentence} {refusal.link}"
    return refusal.sentence


def _details(x: Exchange, refusal: Refusal) -> dict[str, object]:
    """What programs are told of a call's refusal."""
    details: dict[str, object] = {
        "code": refusal.reason,
        "retryable": refusal.row.retryable,
        "request_id": x.request_id,
    }
    if refusal.link:
        details["link"] = refusal.link
    if x.target is not None:
        details["server"] = x.target.route.entry
    return details


def _as_result(x: Exchange, refusal: Refusal) -> dict[str, object]:
    """A tool result that says what went wrong: to the model in words, to programs in `_meta`."""
    content = [{"type": "text", "text": sentence_of(refusal)}]
    if refusal.text:
        content.append({"type": "text", "text": refusal.text})
    result: dict[str, object] = {"content": content, "isError": True}
    if x.era is Era.MODERN:
        assert x.gateway is not None
        result = result_for_modern(result, server_info(x.gateway.snapshot.name))
    meta = result.get("_meta")
    result["_meta"] = {**(meta if isinstance(meta, dict) else {}), META_REFUSAL: _details(x, refusal)}
    return result
