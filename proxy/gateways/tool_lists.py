"""`tools/list` as bytes, made with the snapshot: an answer is its id and, behind it, one of these.

Every caller of an era is shown the same, so a page is serialised once, with all that its answer says (MCP 2025-11-25,
server/tools; 2026-07-28 adds `resultType`, `ttlMs` and `cacheScope`).
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from core.mcp.shapes import META_SERVER_INFO
from core.mcp.versions import Era
from proxy.our_name import server_info

PAGE: Final = 200
"""Tools on one page: most clients read one page only."""
_TTL_MS: Final = 10_000
"""How long a modern client may go by a page without asking again."""


def cursor_of(page: int) -> str:
    """The cursor of a page, counted from 0."""
    return base64.urlsafe_b64encode(b"page:%d" % page).decode()


def tool_lists(definitions: Sequence[dict[str, object]], era: Era, gateway_name: str) -> Mapping[object, bytes]:
    """All pages by their cursor, the first also by None: the result's member with a comma before it, and the end of
    the message. No definitions make one empty page.
    """
    last = max(len(definitions) - 1, 0) // PAGE
    end = b""
    if era is Era.MODERN:
        meta = orjson.dumps({META_SERVER_INFO: server_info(gateway_name)})
        end = b',"resultType":"complete","ttlMs":%d,"cacheScope":"private","_meta":%b' % (_TTL_MS, meta)
    pages: dict[object, bytes] = {}
    for number in range(last + 1):
        tools = orjson.dumps(definitions[number * PAGE : (number + 1) * PAGE])
        more = b"" if number == last else b',"nextCursor":"%b"' % cursor_of(number + 1).encode()
        pages[cursor_of(number)] = b',"result":{"tools":%b%b%b}}' % (tools, more, end)
    return {None: pages[cursor_of(0)], **pages}
