"""Reads forms that browsers and OAuth clients send: `application/x-www-form-urlencoded`, bounded, each name once.

Called by the handlers of pages and of OAuth endpoints. A name that is given twice is refused, since nobody can tell
which was meant (RFC 6749 section 3.1); what a form has besides is the handler's to judge.
"""

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from control.http.problems import FieldError, Problem

MAX_FORM: Final = 64 << 10
"""The largest form of ours is a consent with a long `state`, a few thousand bytes."""
MOST_FIELDS: Final = 500
"""An entry with as many install-time fields as it may have needs some 350."""
FORM_WITHIN_S: Final = 10.0
Form = dict[str, str]
FORM: web.RequestKey[list[tuple[str, str]]] = web.RequestKey("form", list)


async def read_form(request: web.Request) -> Form:
    """The fields, none of which may come twice. Read once, however often it is asked for."""
    form: Form = {}
    for name, value in await read_pairs(request):
        if name in form:
            raise Problem(400, "A field of the form is given twice.", [FieldError(_shown(name), "is given twice")])
        form[name] = value
    return form


async def read_pairs(request: web.Request) -> list[tuple[str, str]]:
    """The fields in their order, names that are given twice too."""
    if FORM not in request:
        request[FORM] = _parsed(await _read(request))
    return request[FORM]


async def _read(request: web.Request) -> bytes:
    if request.content_type != "application/x-www-form-urlencoded":
        raise Problem(415, "The body must be a form: send Content-Type: application/x-www-form-urlencoded.")
    if (request.charset or "utf-8").lower() != "utf-8":
        raise Problem(415, "The form must be in UTF-8.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "The body must not be compressed: send it without Content-Encoding.")
    try:
        async with asyncio.timeout(FORM_WITHIN_S):
            raw = await request.read()
    except TimeoutError:
        raise Problem(408, f"The form did not arrive within {FORM_WITHIN_S:.0f} seconds.") from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_large() from None
    if len(raw) > MAX_FORM:
        raise _too_large()
    return raw


def _parsed(raw: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:  # not UTF-8, or too many fields
        raise Problem(400, f"The form cannot be read: send at most {MOST_FIELDS} fields, in UTF-8.") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise Problem(400, "The form must not hold the character U+0000.")
    return pairs


def _too_large() -> Problem:
    return Problem(413, f"The form is larger than {MAX_FORM} bytes.")


def _shown(name: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in name[:64])
