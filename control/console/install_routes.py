"""The addresses of install links, and of what comes after them. A part of the listener for people.

Whoever is signed in may ask for them: each page judges by itself whom a link is for and what they may do, and what is
under way is of one person in one browser session.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from control.accounts.our_client import CALLBACK
from control.console.pages import install_account, install_link
from control.console.visit import Visit
from control.http.csrf import check
from control.public.deps import PublicDeps
from control.public.visitor import signed_in

_ID: Final = "[0-9a-f-]{36}"
_ENTRY: Final = "{entry:[a-z0-9-]{1,63}}"
_LINK: Final = f"/install/{_ENTRY}"
_SIGN_IN: Final = f"/install/sign-ins/{{sign_in_id:{_ID}}}"
Answer = Callable[[Visit], Awaitable[web.StreamResponse]]
PAGES: Final[tuple[tuple[str, str, Answer], ...]] = (
    ("GET", f"{CALLBACK}/{_ENTRY}", install_account.callback),
    ("GET", _SIGN_IN, install_account.confirm),
    ("POST", f"{_SIGN_IN}/connect", install_account.connect),
    ("POST", f"{_SIGN_IN}/another", install_account.another),
    ("POST", f"{_SIGN_IN}/cancel", install_account.cancel),
    ("GET", f"/install/done/{{installation_id:{_ID}}}", install_account.done),
    ("GET", _LINK, install_link.show),
    ("POST", _LINK, install_link.begin),
    ("POST", f"{_LINK}/hosts", install_link.approve),
)
"""In the order in which they are looked for."""


def routes(deps: PublicDeps) -> list[web.RouteDef]:
    """What `control/public_listener.py` serves of it."""
    return [web.route(method, path, _handler(method, answer, deps)) for method, path, answer in PAGES]


def _handler(method: str, answer: Answer, deps: PublicDeps) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        visit = Visit(request, deps, signed_in(request))
        if method == "POST":
            await check(request, visit.visitor)
        return await answer(visit)

    return handle
