"""Refusing what never became a request: broken framing, or a header block without end. Both lanes answer alike."""

from http import HTTPStatus
from typing import Final

from core.identifiers import new_id
from proxy.answers.refused import http_body
from proxy.deps import Deps
from proxy.edge.answer_headers import unjudged_headers
from proxy.refusals import Refusal

BROKEN: Final = "it breaks the rules of RFC 9112, or its headers are too many or too long"


def refused_body(deps: Deps, address: str, refusal: Refusal, request_id: str) -> bytes:
    """Count the refusal, let it be logged within `RefusalLog`, and give the JSON-RPC error without an id."""
    deps.slots.count_refusal(refusal.reason)
    deps.refusal_log.note(address, refusal, request_id)
    return http_body(refusal, request_id)


def slow_header_answer(deps: Deps, address: str, seconds: float) -> bytes:
    """The whole 408 to a header block that took longer than `seconds`, as bytes; the connection closes after it."""
    request_id = new_id()
    body = refused_body(deps, address, Refusal("header_slow", seconds=seconds), request_id)
    status = HTTPStatus.REQUEST_TIMEOUT
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in unjudged_headers(request_id).items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body
