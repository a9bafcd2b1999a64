"""A page: its template, who looks at it, and where they may go from there.

    return render(request, "people/list.html", people=found)
    return render(request, "sign_in/password.html", status=422, form=form)

Called by every handler that answers with a page, those of signing in and of consent too. Whatever a template prints
is escaped, and shown with what is invisible in it (`visible_text.py`). Pages of somebody who signed in extend
`page.html`, the others `door.html`. Leaves out the headers of answers: the public listener puts them on.
"""

import shlex
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from control.console import moments, static
from control.console.browsers import browser_of
from control.console.navigation import navigation
from control.console.said import sentence_of
from control.console.visible_text import visible
from control.public.visitor import visitor_of

TEMPLATES: Final = Path(__file__).with_name("templates")
THEME_COOKIE: Final = "archway-theme"
"""Set by the page's own script; it says `light` or `dark`, and nothing follows from it but colours."""
_THEMES: Final = {"light", "dark"}
_NO_FILTER: Final = {"cursor", "said"}


def render(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """The page as an answer; `values` are what the template names."""
    return web.Response(
        status=status, text=page_text(request, template, **values), content_type="text/html", charset="utf-8"
    )


def page_text(request: web.Request, template: str, **values: Any) -> str:
    """The page, or a part of one, as text; for an event of a stream, say."""
    visitor = visitor_of(request)
    shared = {
        "visitor": visitor,
        "navigation": navigation(visitor.caller, request.path) if visitor is not None else [],
        "theme": _theme_of(request),
        "now": datetime.now(UTC),
        "filters": _filters_of(request),
        "said": sentence_of(request.query.get("said", "")),
    }
    return environment().get_template(template).render(shared | values)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """What reads templates and keeps them: each is read once, since they are part of the package."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=200,
    )
    made.globals["asset"] = static.address
    made.filters["ago"] = moments.ago
    made.filters["browser"] = browser_of
    made.filters["exact"] = moments.exact
    made.filters["shell"] = shlex.quote
    return made


def _printed(value: Any) -> Any:
    """What a template prints: nothing for None, text with what is invisible in it made visible."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _filters_of(request: web.Request) -> str:
    """The query string of a list without the place in it: for the address of its next page."""
    return urlencode([(name, text) for name, text in request.query.items() if text and name not in _NO_FILTER])


def _theme_of(request: web.Request) -> str:
    given = request.cookies.get(THEME_COOKIE, "")
    return given if given in _THEMES else ""
