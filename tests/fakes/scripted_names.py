"""A resolver of names whose answers are scripted."""

import asyncio
import socket

from aiohttp.abc import AbstractResolver, ResolveResult


class ScriptedNames(AbstractResolver):
    """The n-th question gets the n-th list, the last one for ever; an empty list, or none, is no such name."""

    def __init__(self, *answers: list[str], slow: float = 0.0) -> None:
        self._answers, self._slow = answers or ([],), slow
        self.questions = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answer = self._answers[min(self.questions, len(self._answers) - 1)]
        self.questions += 1
        await asyncio.sleep(self._slow)
        if not answer:
            raise OSError("Name or service not known")
        return [ResolveResult(hostname=host, host=ip, port=port, family=family, proto=0, flags=0) for ip in answer]

    async def close(self) -> None:
        """Nothing is open."""
