"""Which parts the listener for people has. Called by `control/main.py`, and by tests that need all of it.

A part that is new adds its `routes` here; what they stand on is `control/public/deps.py`.
"""

from typing import Final

from aiohttp import web

from control.console.install_routes import routes as install
from control.console.problem_page import problem_page
from control.console.routes import routes as console
from control.oauth import routes as oauth
from control.public.app import build_app
from control.public.deps import Part, PublicDeps
from control.sign_in import oidc
from control.sign_in import routes as sign_in

PARTS: Final[tuple[Part, ...]] = (oauth.routes, sign_in.routes, oidc.routes, install, console)
"""Each is asked for its routes once, at start."""


def public_app(deps: PublicDeps) -> web.Application:
    """The whole application."""
    return build_app(deps, PARTS, problem_page)
