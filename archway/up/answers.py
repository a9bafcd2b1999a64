"""Whether a server answers: one question each, asked over a plain socket, so that no client library is needed.

Called every few milliseconds while a server starts. Each returns False for one that is not there yet.
"""

import asyncio
import contextlib
import struct
from urllib.parse import urlsplit

_LONGEST_ANSWER = 4096
_DEADLINE_S = 1.0


async def postgres_answers(host: str, port: int) -> bool:
    """Ask as a client would begin (protocol 3.0): `R` asks for a password, `E` says it is still starting."""
    words = b"user\0archway\0database\0postgres\0\0"
    startup = struct.pack("!ii", 8 + len(words), 196608) + words
    return (await _ask(host, port, startup))[:1] == b"R"


async def redis_answers(host: str, port: int, password: str) -> bool:
    """AUTH, then PING."""
    question = f"*2\r\n$4\r\nAUTH\r\n${len(password)}\r\n{password}\r\n*1\r\n$4\r\nPING\r\n".encode()
    return (await _ask(host, port, question)).startswith(b"+OK")


async def http_answers(url: str, status: int = 200) -> bool:
    """GET; whether the answer has this status."""
    parts = urlsplit(url)
    question = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    answer = await _ask(parts.hostname or "127.0.0.1", parts.port or 80, question)
    return answer[:12].endswith(b" %d" % status)


async def tcp_answers(host: str, port: int) -> bool:
    """Whether somebody listens."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_DEADLINE_S):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return True
    return False


async def _ask(host: str, port: int, question: bytes) -> bytes:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_DEADLINE_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                return await reader.read(_LONGEST_ANSWER)
            finally:
                writer.close()
    return b""
