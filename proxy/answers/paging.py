"""Cursors of the lists that a gateway shows: a page's number, which clients give back as they got it."""

import base64
import binascii

from core.mcp.faults import INVALID_PARAMS, MessageFault
from core.mcp.versions import Era
from proxy.exchange import Exchange


def asked_page(x: Exchange) -> int:
    """The number of the page that is asked for, from 0 on. Raises MessageFault for what is no cursor of ours."""
    cursor = x.request.params.get("cursor")
    number = 0 if cursor is None else _page_number(cursor)
    if number is None:
        raise no_such_page(x)
    return number


def no_such_page(x: Exchange) -> MessageFault:
    """The fault of a cursor that is none of this list."""
    return MessageFault(
        INVALID_PARAMS,
        "params.cursor is not a cursor of this list; leave it out to begin at the first page.",
        400 if x.era is Era.MODERN else 200,
        x.request.id,
    )


def _page_number(cursor: object) -> int | None:
    """The page of one of our cursors; None for anything else. The empty cursor is none of ours."""
    if not isinstance(cursor, str) or len(cursor) > 64:
        return None
    try:
        kind, _, number = base64.b64decode(cursor, altchars=b"-_", validate=True).partition(b":")
        return int(number) if kind == b"page" and number.isdigit() else None
    except (binascii.Error, ValueError):
        return None
