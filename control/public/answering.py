"""The outermost middleware of the listener for people: request ids, where from, Host, deadlines, refusals in words.

Whatever is raised below ends here: for a browser as a page that says what to do, for a program as a problem document
(RFC 9457). Endpoints of OAuth answer their own errors in the words of their protocol; what they let through is ours.
"""

import asyncio
import logging
from collections.abc import Callable
from html import escape
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

from control.http.answering import REQUEST_ID, Handler, check_host, path_to_log, problem_of
from control.http.client_address import read_origin
from control.http.problems import Problem
from control.http.return_to import sign_in_url
from control.public.visitor import SignInFirst
from core.identifiers import new_id

log = logging.getLogger(__name__)
ANSWER_WITHIN_S: Final = 30.0
"""No page of ours takes a second, but for those that ask an identity provider."""
ProblemPage = Callable[[web.Request, Problem], web.Response]
PROBLEM_PAGE: web.AppKey[ProblemPage] = web.AppKey("problem_page")
"""Makes the page of a refusal. The application may set one; else there is a plain one."""
_DEADLINE: web.RequestKey[asyncio.Timeout] = web.RequestKey("deadline", asyncio.Timeout)


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Number the request, check its Host, bound its time, and turn whatever is raised into an answer."""
    request[REQUEST_ID] = new_id()
    try:
        request[REQUEST_ID] = read_origin(request) or request[REQUEST_ID]
        check_host(request)
        async with asyncio.timeout(ANSWER_WITHIN_S) as deadline:
            request[_DEADLINE] = deadline
            return await handler(request)
    except SignInFirst:
        return _to_the_door(request)
    except web.HTTPRedirection:
        raise
    except TimeoutError as late:
        if not request[_DEADLINE].expired():
            return _refusal(request, problem_of(request, late))
        log.warning("a page took too long", extra={"path": path_to_log(request), "request_id": request[REQUEST_ID]})
        return _refusal(
            request, Problem(503, "This took too long; try again in a moment.", headers={"Retry-After": "1"})
        )
    except Exception as error:  # noqa: BLE001  # the last line of defence: what is not a refusal is a bug, and says so
        return _refusal(request, problem_of(request, error))


def stays_open(request: web.Request) -> None:
    """The answer goes on for as long as its reader wants: an event stream, which has its own ends."""
    request[_DEADLINE].reschedule(None)


def wants_page(request: web.Request) -> bool:
    """Whether the request is a browser's that shows a page, and not a program's."""
    return "text/html" in request.headers.get("Accept", "")


def _refusal(request: web.Request, problem: Problem) -> web.Response:
    if wants_page(request):
        page = request.app.get(PROBLEM_PAGE, _plain_page)(request, problem)
        page.set_status(problem.status)
        page.headers.update(problem.headers)
        return page
    return web.Response(
        status=problem.status,
        body=orjson.dumps(problem.document(request[REQUEST_ID])),
        content_type="application/problem+json",
        headers=problem.headers,
    )


def _to_the_door(request: web.Request) -> web.Response:
    """Browsers are led to the sign-in page and back here; what a form said is lost, since its session is."""
    back_to = request.path_qs if request.method in {"GET", "HEAD"} else ""
    if request.headers.get("HX-Request") == "true":
        return web.Response(status=401, headers={"HX-Redirect": sign_in_url(back_to)})
    if wants_page(request):
        return web.Response(status=303, headers={"Location": sign_in_url(back_to)})
    return _refusal(request, Problem(401, "Nobody is signed in here: sign in with a browser."))


def _plain_page(request: web.Request, problem: Problem) -> web.Response:
    title = escape(HTTPStatus(problem.status).phrase)
    lines = "".join(f"<p>{escape(one)}</p>" for one in (problem.detail, f"Request {request[REQUEST_ID]}"))
    text = f'<!doctype html><html lang="en"><title>{title}</title><h1>{title}</h1>{lines}</html>'
    return web.Response(text=text, content_type="text/html")
