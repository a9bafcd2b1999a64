"""Resolving host names for outbound connections: bounded in time, in threads and in how much may wait.

`core.egress.client` gives aiohttp a `JudgedResolver`; nobody else looks names up. The operating system's resolver
blocks a thread and cannot be cancelled, so lookups have threads of their own: slow name servers use these up and
nothing else. What is left out: caching (the connector's own table, 10 s) and the final word on an address (the
socket).
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

from core.egress.addresses import AddressPolicy, AddressRefused

LOOKUP_SECONDS = 2.0
_THREADS = 8
_MAX_WAITING = 256


class SystemResolver(AbstractResolver):
    """getaddrinfo in eight threads of its own; beyond 256 unfinished lookups it refuses at once."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="name-lookup")
        self._unfinished: set[object] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All stream addresses of `host`, in the system's order. Raises OSError."""
        if len(self._unfinished) >= _MAX_WAITING:
            raise OSError(f"{_MAX_WAITING} name lookups are already waiting")
        work = self._threads.submit(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        # Counted until the thread is done, not the caller: one that gave up leaves its thread busy.
        self._unfinished.add(work)
        work.add_done_callback(self._unfinished.discard)
        answers = await asyncio.wrap_future(work)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=family,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for family, _, proto, _, address in answers
        ]

    async def close(self) -> None:
        """Give the threads up; one that still waits for a name server ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class JudgedResolver(AbstractResolver):
    """Asks `inner` within `seconds` and drops the addresses that `policy` forbids.

    The socket judges again. This comes first so that a name with one public and one private address still works,
    and so that a name with none says why.
    """

    def __init__(self, inner: AbstractResolver, policy: AddressPolicy, seconds: float = LOOKUP_SECONDS) -> None:
        self._inner = inner
        self._policy = policy
        self._seconds = seconds

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The permitted addresses. Raises AddressRefused when there are only others, OSError when there is none."""
        try:
            async with asyncio.timeout(self._seconds):
                answers = await self._inner.resolve(host, port, family)
        except TimeoutError:
            raise OSError(f"no answer about the name {host} within {self._seconds:g} s") from None
        reasons = [self._policy.why_not(answer["host"]) for answer in answers]
        permitted = [answer for answer, reason in zip(answers, reasons, strict=True) if reason is None]
        refused = next((reason for reason in reasons if reason is not None), None)
        if not permitted and refused is not None:
            raise AddressRefused(f"{host}: {refused}")
        if not permitted:
            raise OSError(f"the name {host} has no address")
        return permitted

    async def close(self) -> None:
        """Close the resolver inside."""
        await self._inner.close()
