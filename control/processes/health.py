"""How a server says that it does: one question over HTTP, for which no client is needed.

The bridge's `/healthz` answers 200 once its server has answered, else 503 and why, in JSON. Of a server over HTTP of
somebody else's making any good status of its health path will do, and where it has none, that its port takes
connections.
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any, Final, get_args

from control.registry.resolved_packages import packages_in
from control.registry.server_state import LONGEST_MESSAGE, Phase

WITHIN_S: Final = 2.0
_LONGEST_ANSWER: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Health:
    """How one server does, as it said when it was asked."""

    phase: Phase
    cause: str = ""
    message: str = ""
    calls: int = 0
    """How many calls run, as a bridge says; of others it is not known."""
    packages: list[list[str]] | None = None
    """Names and versions of what runs, as a bridge says; None of others."""


async def ask_bridge(port: int) -> Health | None:
    """How the server behind a bridge does; None where no bridge answers."""
    answer = await _get(port, "/healthz")
    if answer is None:
        return None
    _, body = answer
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):  # the second of a text that is brackets alone
        return None
    if not isinstance(told, dict) or told.get("phase") not in get_args(Phase):
        return None
    message, calls = str(told.get("message") or "")[:LONGEST_MESSAGE], told.get("calls")
    return Health(
        told["phase"],
        str(told.get("cause") or ""),
        message,
        calls if isinstance(calls, int) else 0,
        packages_in(told.get("packages")),
    )


async def ask_http(port: int, path: str) -> Health | None:
    """How a server over HTTP does; None where nobody listens yet."""
    if not path:
        return Health("ready") if await listens(port) else None
    answer = await _get(port, path)
    if answer is None:
        return None
    status, _ = answer
    return Health("ready") if 200 <= status < 400 else Health("starting", "not_answering", f"{path} answers {status}")


async def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(WITHIN_S):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
    return False


async def _get(port: int, path: str) -> tuple[int, bytes] | None:
    """Status and body (RFC 9112, as HTTP/1.0, so that the end of the connection is the body's)."""
    with contextlib.suppress(OSError, TimeoutError, ValueError, IndexError):
        async with asyncio.timeout(WITHIN_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
                whole = await _to_the_end(reader)
            finally:
                writer.close()
        head, _, body = whole.partition(b"\r\n\r\n")
        return int(head.split(None, 2)[1]), body
    return None


async def _to_the_end(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    while len(whole) < _LONGEST_ANSWER and (piece := await reader.read(_LONGEST_ANSWER)):
        whole += piece
    return whole
