"""Nobody overwrites what they have not seen: `ETag` on reads, `If-Match` on writes (RFC 9110 sections 8.8.3, 13.1.1).

A row's `version` is its ETag. A write names the version that it was made for, or `*` for any.
"""

import re

from aiohttp import web

from control.http.problems import FieldError, Problem

_TAG = re.compile(r'(W/)?"([!#-~]*)"')
ANY = "*"
NEVER = -1
"""A version that no row has: of a weak tag, or of a tag that we did not make."""


def etag(version: int) -> str:
    """The value of the `ETag` header for a row's version."""
    return f'"{version}"'


def required_version(request: web.Request) -> int | None:
    """The version in `If-Match`, None for any; raises Problem 428 without the header, 422 for what is no tag."""
    given = request.headers.getall("If-Match", [])
    if not given:
        raise Problem(
            428,
            "If-Match is missing: read the object, then send its ETag with the change.",
            [FieldError("If-Match", "is required; send the ETag of what you read")],
        )
    text = given[0].strip()
    if text == ANY and len(given) == 1:
        return None
    tag = _TAG.fullmatch(text)
    if tag is None or len(given) > 1:
        raise Problem(422, "If-Match: must be one ETag in quotes.", [FieldError("If-Match", "must be one ETag")])
    if tag[1] or not tag[2].isascii() or not re.fullmatch(r"[1-9][0-9]{0,8}", tag[2]):
        return NEVER
    return int(tag[2])
