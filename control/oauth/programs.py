"""What the endpoints for programs have in common: answers in JSON, refusals in the words of OAuth, other origins.

Clients that run in a browser (the Inspector, say) come from whatever origin. No cookie decides anything here, so any
may ask; none may send credentials of the browser along.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

import orjson
from aiohttp import web

from control.http.answering import Handler
from control.oauth.client_authentication import challenge_of
from control.oauth.errors import OAuthRefused
from control.store.pool import StoreUnavailable

ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_PREFLIGHT: Final = {
    **ANY_ORIGIN,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    # `*` never covers Authorization (Fetch standard, 3.3.3)
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept, MCP-Protocol-Version",
    "Access-Control-Max-Age": "600",
}
_NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_AGAIN_S: Final = 1


def json_answer(document: Mapping[str, Any], status: int = 200) -> web.Response:
    """An answer that nobody keeps: it may hold a token or a secret (RFC 6749 section 5.1)."""
    return web.Response(
        status=status, body=orjson.dumps(document), content_type="application/json", headers=_NOT_KEPT
    )


def for_programs(handler: Handler) -> Handler:
    """The handler with its refusals told in JSON, for every origin."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
        except OAuthRefused as refused:
            response = _refusal(request, refused)
        except StoreUnavailable:
            away = OAuthRefused(
                "temporarily_unavailable", "The database cannot be reached; try again.", wait_s=_AGAIN_S
            )
            response = _refusal(request, away)
        response.headers.update(ANY_ORIGIN)
        return response

    return handle


async def preflight(_request: web.Request) -> web.Response:
    """The answer to a browser that asks whether a page of another origin may ask (CORS)."""
    return web.Response(status=204, headers=_PREFLIGHT)


def _refusal(request: web.Request, refused: OAuthRefused) -> web.Response:
    response = json_answer(refused.document(), refused.status)
    if refused.status == 401:
        response.headers.update(challenge_of(request))
    if refused.wait_s:
        response.headers["Retry-After"] = str(ceil(refused.wait_s))
    return response
