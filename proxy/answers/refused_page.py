"""The refusal of a request that would have been passed on to control: a page for a person, JSON for a client.

`refused.py` decides status and headers, counts and logs it, as for any refusal; only the words are put in another
form here, since who asks for a page or a token speaks no JSON-RPC. No style and no script, so that nothing need be
allowed for it.
"""

from dataclasses import replace
from html import escape
from typing import Final

import orjson

from proxy.answers.refused import answer_of_refusal
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal

_PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Archway: {title}</title></head>
<body><main><h1>{title}</h1><p>{sentence}</p><p>Request {request_id}</p></main></body>
</html>
"""
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
}
_OAUTH_ERRORS: Final = {400: "invalid_request", 413: "invalid_request", 503: "temporarily_unavailable"}
"""What clients of the authorization server know (RFC 6749 section 4.1.2.1)."""


def refused_page(x: Exchange, refusal: Refusal, deps: Deps) -> Answer:
    """The whole answer to a refused request for a page or an endpoint of sign-in."""
    answer = answer_of_refusal(x, refusal, deps)
    if "text/html" in x.headers.get("accept", ""):
        title = "Not available just now" if refusal.row.retryable else "Not possible"
        page = _PAGE.format(title=title, sentence=escape(refusal.sentence), request_id=escape(x.request_id))
        return replace(
            answer,
            body=page.encode(),
            media_type="text/html; charset=utf-8",
            headers=answer.headers | _HEADERS,
        )
    said = {
        "error": _OAUTH_ERRORS.get(answer.status, "invalid_request"),
        "error_description": refusal.sentence,
        "request_id": x.request_id,
    }
    return replace(answer, body=orjson.dumps(said))
