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

from control.http.problems import Problem, of_refusal
from control.store.pool import StoreUnavailable
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
        check_host(request)
        return await handler(request)
    except Exception as error:  # noqa: BLE001  # the last line of defence: what is not a refusal is a bug, and says so
        return _refusal(request, problem_of(request, error))


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer, streams too; for `on_response_prepare`."""
    response.headers.update(SECURITY_HEADERS)
    response.headers["X-Request-Id"] = request.get(REQUEST_ID) or new_id()


def problem_of(request: web.Request, error: Exception) -> Problem:
    """What is said of an exception; one that is no refusal is a bug, and goes into the log."""
    if (refusal := of_refusal(error)) is not None:
        return refusal
    match error:
        case StoreUnavailable():
            return Problem(
                503, "The database cannot be reached; try again in a moment.", headers={"Retry-After": "1"}
            )
        case web.HTTPException():
            return _of_aiohttp(error)
    told = {"request_id": request[REQUEST_ID], "path": path_to_log(request)}
    log.error("request failed", exc_info=error, extra=told)
    return Problem(500, "Something went wrong on our side; the log has more under this request id.")


def path_to_log(request: web.Request) -> str:
    """The path without the secret that it may hold: that of a link which signs a person in."""
    secret = request.match_info.get("secret")
    return request.path.replace(secret, "...") if secret else request.path


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


def check_host(request: web.Request) -> None:
    """Raise Problem 421 for names that are not ours: a page elsewhere may have its own lead to us (DNS rebinding)."""
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
