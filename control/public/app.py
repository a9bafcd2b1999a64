"""The listener for people as one aiohttp application: what stands before its parts, and the health of the process.

Called by `control/public_listener.py`, which says which parts there are, with the routes that they gave. Everybody on
the Internet may reach it: bodies are small, each request has a deadline, and nothing is answered under a name that is
not ours.
"""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from control.http import answering as http_answering
from control.http import pages
from control.http.client_address import ORIGINS, Origins
from control.http.csrf import OWN_ORIGINS, own_origins
from control.public.answering import PROBLEM_PAGE, ProblemPage, answer
from control.public.deps import Part, PublicDeps
from control.public.visitor import PUBLIC_DEPS, recognise
from control.store.pool import transaction

MAX_BODY: Final = 128 << 10
"""The largest body is an OAuth client's registration, some thousand bytes; a part may accept less."""


def build_app(deps: PublicDeps, parts: Iterable[Part], problem_page: ProblemPage | None = None) -> web.Application:
    """The application with the routes of these parts; raises ValueError or RuntimeError where two claim one path."""
    app = web.Application(middlewares=[answer, recognise], client_max_size=MAX_BODY)
    app[PUBLIC_DEPS] = deps
    app[http_answering.ALLOWED_HOSTS] = deps.allowed_hosts
    app[OWN_ORIGINS] = own_origins([deps.issuer_url, deps.public_url])
    app[ORIGINS] = Origins(deps.from_proxies, deps.trusted_proxies)
    if problem_page is not None:
        app[PROBLEM_PAGE] = problem_page
    app.on_response_prepare.append(pages.add_headers)
    for part in parts:
        app.router.add_routes(part(deps))
    app.router.add_route("GET", "/health", _health)
    app.router.add_route("GET", "/ready", _ready)
    return app


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _ready(request: web.Request) -> web.Response:
    async with transaction(request.app[PUBLIC_DEPS].pool, readonly=True) as connection:
        await connection.fetchval("select 1")
    return web.json_response({"status": "ok"})
