"""The headers of pages for people: what the browser may load, who may frame them, what it may keep.

Every answer of the listener for people gets them, unless its handler has set one of these headers itself, as the
handlers of files with a hash in their name do. Called by `control/public/app.py`; `DOOR_POLICY` by the pages of
sign-in and consent.
"""

from typing import Final

from aiohttp import web

from control.http.answering import REQUEST_ID, SECURITY_HEADERS
from core.identifiers import new_id

_OWN: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_POLICY: Final = _OWN + "; form-action 'self'"
"""Of a usual page: scripts and styles in files of ours alone, forms to ourselves alone, framed by nobody."""
DOOR_POLICY: Final = _OWN
"""Of pages whose form ends at a client's own address: browsers follow `form-action` through redirects too."""
_OF_PAGES: Final = {
    "Content-Security-Policy": PAGE_POLICY,
    # With no-referrer, browsers would say `Origin: null` of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on an answer, for `on_response_prepare`; what the handler has set stays."""
    wanted = SECURITY_HEADERS | (_OF_PAGES if response.content_type == "text/html" else {})
    for name, value in wanted.items():
        if name == "Server" or name not in response.headers:
            response.headers[name] = value
    response.headers["X-Request-Id"] = request.get(REQUEST_ID) or new_id()
