"""Which header blocks the fast lane reads itself: a strict grammar, in which nothing has two readings.

It is a small part of what RFC 9112 allows: POST, GET or DELETE of a plain path that is no public metadata and is not
passed on to control, HTTP/1.1, CRLF at the end of every line, names that are tokens, values of visible ASCII, no name
twice but of lists that nobody judges, framing by one plain Content-Length. Whatever is not in it is handed over, byte
for byte, to aiohttp, and so gets that lane's verdict: the fast lane refuses no framing of its own. A block that is
not whole yet is measured by the same grammar, so that one that has left it does not wait here for its end.

Used by `request_reader.py`. What the headers say is judged by the stage `admit`, for both lanes.
"""

import re
from typing import Final

from core.egress.header_grammar import MAY_REPEAT, NAME, VALUE
from proxy.caches.usual import remember
from proxy.edge.passed_on_paths import FIRST_PARTS

MOST_HEAD: Final = 64 << 10
MOST_LINE: Final = 8190
MOST_HEADERS: Final = 100
END: Final = b"\r\n\r\n"

_METHODS: Final = (b"POST /", b"GET /", b"DELETE /")
_ELSEWHERE = "|".join((r"\.well-known", *FIRST_PARTS)).encode()
_REST = rb"(?!(?:" + _ELSEWHERE + rb")[/? ]|[? ])[A-Za-z0-9\-._~%/;:=&?+,*@]*"
_REQUEST_LINE = re.compile(rb"(POST|GET|DELETE) (/" + _REST + rb") HTTP/1\.1")
_REST_BEGUN = re.compile(_REST)
_HEADER = re.compile(rf"({NAME}):[\t ]*({VALUE})".encode())
_HEADER_BEGUN = re.compile(rf"\r?|{NAME}(?::{VALUE}\r?)?".encode())
_LENGTH = re.compile(r"0|[1-9][0-9]{0,14}")
_NOT_HERE = frozenset(
    {
        "content-encoding",
        "expect",
        "http2-settings",
        "proxy-connection",
        "sec-websocket-key1",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that change how a message is read, or what follows it."""
REMEMBERED: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "origin",
        "user-agent",
    }
)
"""Headers of which the same few lines come again and again, and that are no secrets."""
_MOST_REMEMBERED = 2048
_LONGEST_REMEMBERED = 128

Pair = tuple[str, str]


class PlainHead:
    """A header block that is in the strict grammar, read."""

    __slots__ = ("close", "headers", "length", "method", "target")

    def __init__(self, method: str, target: str, headers: dict[str, str]) -> None:
        self.method, self.target = method, target
        self.headers = headers
        """Lower-case names, values without the white space around them."""
        self.length = int(headers.get("content-length", "0"))
        self.close = headers.get("connection", "").lower() == "close"


class HeadReader:
    """Reads header blocks; one per worker, because it remembers lines that it has checked."""

    __slots__ = ("_firsts", "_lines", "_names")

    def __init__(self) -> None:
        self._lines: dict[bytes, Pair] = {}
        self._firsts: dict[bytes, Pair] = {}
        self._names: dict[bytes, str] = {}

    def read(self, block: bytes) -> PlainHead | None:
        """A whole block, without the empty line at its end; None where it is not in the grammar."""
        lines = block.split(b"\r\n")
        first = self._firsts.get(lines[0]) or self._first(lines[0])
        if first is None or len(block) > MOST_HEAD:
            return None
        headers = self._headers(lines)
        if headers is None or "host" not in headers:
            return None
        head = PlainHead(*first, headers)
        return None if head.length and head.method != "POST" else head

    def may_become_plain(self, begun: bytes) -> bool:
        """Whether a block of which this much has come may yet be in the grammar."""
        if len(begun) > MOST_HEAD:
            return False
        *whole, last = begun.split(b"\r\n")
        if not whole:
            return _first_begun(last)
        if self._first(whole[0]) is None or self._headers(whole) is None:
            return False
        return len(last) <= MOST_LINE and _HEADER_BEGUN.fullmatch(last) is not None

    def _first(self, line: bytes) -> Pair | None:
        match = _REQUEST_LINE.fullmatch(line)
        if match is None or len(line) > MOST_LINE:
            return None
        first = (match[1].decode(), match[2].decode())
        if len(line) <= _LONGEST_REMEMBERED:
            remember(self._firsts, line, first, _MOST_REMEMBERED)
        return first

    def _headers(self, lines: list[bytes]) -> dict[str, str] | None:
        """All headers of these lines but the first; None where one of them is not in the grammar."""
        if len(lines) > MOST_HEADERS + 1:
            return None
        headers: dict[str, str] = {}
        known = self._lines
        for line in lines[1:]:
            pair = known.get(line) or self._header(line)
            if pair is None:
                return None
            name, value = pair
            if name in headers:
                if name not in MAY_REPEAT or name == "connection":
                    return None
                value = f"{headers[name]}, {value}"
            headers[name] = value
        return headers

    def _header(self, line: bytes) -> Pair | None:
        """One header; the names of the usual ones were judged before, and only the value is looked at."""
        name, colon, value = line.partition(b":")
        known = self._names.get(name)
        if known is not None and colon and len(line) <= MOST_LINE:
            text = value.strip(b"\t ").decode("latin-1")
            if text.isascii() and text.isprintable():
                return known, text
        return self._judged_header(line)

    def _judged_header(self, line: bytes) -> Pair | None:
        match = _HEADER.fullmatch(line)
        if match is None or len(line) > MOST_LINE:
            return None
        name, value = match[1].decode().lower(), match[2].rstrip(b"\t ").decode()
        if not _fits(name, value):
            return None
        if name in REMEMBERED and len(line) <= _LONGEST_REMEMBERED:
            remember(self._lines, line, (name, value), _MOST_REMEMBERED)
        if name not in {"connection", "content-length"} and len(match[1]) <= _LONGEST_REMEMBERED:
            remember(self._names, match[1], name, _MOST_REMEMBERED)
        return name, value


def _fits(name: str, value: str) -> bool:
    if name == "content-length":
        return _LENGTH.fullmatch(value) is not None
    if name == "connection":
        return value.lower() in {"keep-alive", "close"}
    return name not in _NOT_HERE


def _first_begun(line: bytes) -> bool:
    """Whether this may become the request line of a plain request."""
    if any(method.startswith(line) for method in _METHODS):
        return True
    method = next((method for method in _METHODS if line.startswith(method)), None)
    if method is None or len(line) > MOST_LINE:
        return False
    rest, space, version = line[len(method) :].partition(b" ")
    return _REST_BEGUN.fullmatch(rest) is not None and (not space or b"HTTP/1.1\r".startswith(version))
