"""The outermost middleware of the admin listener: request ids, the Host check, refusals as problem documents.

Whatever is raised below becomes a problem (RFC 9457) here: a caller sees a sentence and the request id, never a
traceback. The headers of `SECURITY_HEADERS` are on every answer; none of them allows another origin anything.
"""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

from control.changes.refusals import Refused
from control.http.problems import Problem, invalid, of_conflict, of_refused
from control.registry.broken_rule import BrokenRule
from control.store.pool import StoreConflict, StoreUnavailable
from core.identifiers import new_id

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
ALLOWED_HOSTS: web.AppKey[frozenset[str]] = web.AppKey("allowed_hosts", frozenset)
"""Names in Host under which the listener is served, lower case and without a port. The application sets it."""
ANY_HOST: Final = frozenset({"/health", "/ready"})
SECURITY_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "archway",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SENTENCES: Final = {
    404: (
        "There is nothing at this path. /api/v1/openapi.json lists the operations; identifiers are in lower case, "
        "with dashes."
    ),
    405: "This path does not support this method; the Allow header names those that it supports.",
}


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Number the request, check its Host, and turn whatever is raised into an answer."""
    request[REQUEST_ID] = new_id()
    try:
        _check_host(request)
        return await handler(request)
    except Exception as error:  # noqa: BLE001  # the last line of defence: what is not a refusal is a bug, and says so
        return _refusal(request, _problem_of(request, error))


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer, streams too; for `on_response_prepare`."""
    response.headers.update(SECURITY_HEADERS)
    response.headers["X-Request-Id"] = request.get(REQUEST_ID) or new_id()


def _problem_of(request: web.Request, error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case BrokenRule():
            return invalid(error.field, error.message)
        case Refused():
            return of_refused(error)
        case StoreConflict():
            return of_conflict(error)
        case StoreUnavailable():
            return Problem(
                503, "The database cannot be reached; try again in a moment.", headers={"Retry-After": "1"}
            )
        case web.HTTPException():
            return _of_aiohttp(error)
    log.error("admin request failed", exc_info=error, extra={"request_id": request[REQUEST_ID], "path": request.path})
    return Problem(500, "Something went wrong on our side; the log has more under this request id.")


def _of_aiohttp(error: web.HTTPException) -> Problem:
    sentence = _SENTENCES.get(error.status) or HTTPStatus(error.status).description or error.reason
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return Problem(error.status, sentence, headers=headers)


def _refusal(request: web.Request, problem: Problem) -> web.Response:
    return web.Response(
        status=problem.status,
        body=orjson.dumps(problem.document(request[REQUEST_ID])),
        content_type="application/problem+json",
        headers=problem.headers,
    )


def _check_host(request: web.Request) -> None:
    """Refuse names that are not ours: a page elsewhere may have its own name resolve to us (DNS rebinding)."""
    if request.path in ANY_HOST:
        return
    given = request.headers.getall("Host", [])
    if len(given) != 1 or _name_of(given[0]) not in request.app[ALLOWED_HOSTS]:
        raise Problem(421, "This host name is not served here; an operator can add it to ARCHWAY_ALLOWED_HOSTS.")


def _name_of(host: str) -> str:
    """`[::1]:80` as `::1`, `LOCALHOST:80` as `localhost`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
