"""HTTP by hand: requests as bytes, so that a test can send what no client library would, and answers as they came."""

import asyncio
import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Headers = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes
    closed: bool
    """Whether it is the connection's last, by its framing (RFC 9112 section 9.3)."""

    def header(self, name: str) -> str | None:
        """The one value of a header; None where it is missing. AssertionError where it came twice."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request_bytes(
    method: str, target: str | bytes, headers: Headers, body: bytes = b"", *, version: str = "HTTP/1.1"
) -> bytes:
    """A request with exactly these headers, in this order; Content-Length is added where there is a body."""
    lines = [b" ".join((method.encode(), _bytes(target), version.encode()))]
    listed = list(headers)
    if body and not any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in listed):
        listed.append(("Content-Length", str(len(body))))
    lines += [name.encode("latin-1") + b": " + _bytes(value) for name, value in listed]
    return b"\r\n".join([*lines, b"", b""]) + body


async def exchange(port: int, *pieces: bytes | float, within: float = 30.0, bodiless: bool = False) -> RawAnswer:
    """Write the pieces to 127.0.0.1 (numbers are pauses in seconds) and read one answer framed by Content-Length.

    `bodiless`: the answer to a HEAD, which has no body whatever its length says.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(within):
            sending = asyncio.gather(_write(writer, pieces), return_exceptions=True)
            answer = await read_answer(reader, bodiless=bodiless)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
            return answer
    finally:
        writer.transport.abort()


async def read_answer(reader: asyncio.StreamReader, *, bodiless: bool = False) -> RawAnswer:
    """The next answer on a connection."""
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.decode("latin-1").split("\r\n")[:-2]
    version, status, reason = first.split(" ", 2)
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    body = b"" if bodiless else await reader.readexactly(length)
    said = next((value.lower() for name, value in headers if name.lower() == "connection"), "")
    closed = said == "close" or (version == "HTTP/1.0" and said != "keep-alive")
    return RawAnswer(int(status), reason, headers, body, closed)


async def _write(writer: asyncio.StreamWriter, pieces: Iterable[bytes | float]) -> None:
    for piece in pieces:
        if isinstance(piece, bytes):
            writer.write(piece)
            await writer.drain()
        else:
            await asyncio.sleep(piece)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
