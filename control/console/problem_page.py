"""The page of a refusal: what is wrong, in a sentence, and the way back. Given to the listener for people.

Whoever has not signed in sees it without the navigation. It needs no database, since that may be what is away.
"""

from http import HTTPStatus
from typing import Final

from aiohttp import web

from control.console.rendering import render
from control.http.answering import REQUEST_ID
from control.http.problems import Problem
from control.public.visitor import visitor_of

_TITLES: Final = {
    400: "That did not work",
    403: "You may not do this",
    404: "Not here",
    412: "Somebody else changed this",
    500: "Something went wrong",
    503: "Not just now",
}
_NOT_HERE: Final = "There is nothing at this address, or you may not see it."


def problem_page(request: web.Request, problem: Problem) -> web.Response:
    """The page, with the problem's status."""
    template = "problem/inside.html" if visitor_of(request) is not None else "problem/outside.html"
    return render(
        request,
        template,
        status=problem.status,
        heading=_TITLES.get(problem.status, HTTPStatus(problem.status).phrase),
        detail=_detail(request, problem),
        request_id=request.get(REQUEST_ID, ""),
    )


def _detail(request: web.Request, problem: Problem) -> str:
    """What is wrong. Of what is not there or hidden nothing more is said, but by a page that knows how to go on."""
    hidden = request.match_info.http_exception is not None or problem.detail.endswith("or you may not see it.")
    return _NOT_HERE if problem.status == 404 and hidden else problem.detail
