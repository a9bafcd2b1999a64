"""Which parts the listener for people has. Called by `control/main.py`, and by tests that need all of it.

A part that is new adds its `routes` here; what they stand on is `control/public/deps.py`.
"""

from http import HTTPStatus
from typing import Final

from aiohttp import web

from control.console.rendering import render
from control.http.answering import REQUEST_ID
from control.http.problems import Problem
from control.public.app import build_app
from control.public.deps import Part, PublicDeps
from control.sign_in import routes as sign_in

PARTS: Final[tuple[Part, ...]] = (sign_in.routes,)
"""Each is asked for its routes once, at start."""


def public_app(deps: PublicDeps) -> web.Application:
    """The whole application."""
    return build_app(deps, PARTS, refused_page)


def refused_page(request: web.Request, problem: Problem) -> web.Response:
    """What a browser is shown where something was refused."""
    title = HTTPStatus(problem.status).phrase
    return render(
        request, "sign_in/refused.html", problem=problem, title=title, request_id=request[REQUEST_ID],
        status=problem.status,
    )  # fmt: skip
