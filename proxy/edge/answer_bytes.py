"""An `Answer` of the fast lane as bytes, with the headers that the aiohttp lane would give it (in another order)."""

import re
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from proxy.edge.answer_headers import SECURITY_HEADERS, STREAM_HEADERS
from proxy.exchange import Answer
from proxy.our_name import SERVER

LAST_CHUNK: Final = b"0\r\n\r\n"
_TEXT = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_USUAL = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    + "".join(f"{name}: {value}\r\n" for name, value in SECURITY_HEADERS.items())
    + f"Server: {SERVER}\r\nDate: "
)


class AnswerHeads:
    """Makes the heads of answers; keeps what the usual one begins with, up to its date, for a second."""

    __slots__ = ("_date", "_second", "_usual")

    def __init__(self) -> None:
        self._second, self._date, self._usual = -1, "", b""

    def usual(self, request_id: str, length: int) -> bytes:
        """Of a 200 with JSON that adds no header of its own and keeps the connection."""
        self._tick()
        return b"%b%b\r\nContent-Length: %d\r\n\r\n" % (self._usual, request_id.encode(), length)

    def of(self, answer: Answer, own: dict[str, str], *, close: bool) -> bytes:
        """Of any whole answer. Raises ValueError where a header's value would break the framing."""
        headers = SECURITY_HEADERS | own | answer.headers
        if answer.body or answer.status not in {202, 204}:
            headers["Content-Type"] = answer.media_type
        if answer.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(answer.body))
        return self._bytes(answer.status, headers, close=close)

    def of_stream(self, own: dict[str, str], *, close: bool) -> bytes:
        """Of an event stream, in chunks."""
        return self._bytes(200, STREAM_HEADERS | own | {"Transfer-Encoding": "chunked"}, close=close)

    def _bytes(self, status: int, headers: dict[str, str], *, close: bool) -> bytes:
        self._tick()
        headers["Date"] = self._date
        if close:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        for name, value in headers.items():
            if _TEXT.fullmatch(value) is None:
                raise ValueError(f"the value of {name} has a control character")
            lines.append(f"{name}: {value}")
        return "\r\n".join([*lines, "", ""]).encode()

    def _tick(self) -> None:
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True)
            self._usual = f"{_USUAL}{self._date}\r\nX-Request-Id: ".encode()


def chunk(data: bytes) -> bytes:
    """One chunk (RFC 9112 section 7.1); `data` is not empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)
