"""Between control and PostgreSQL: ends a connection just before, or just after, one statement of one transaction.

    async with CuttingProxy(port) as cut:
        cut.arm("my-slug", 3)            # on the connection whose bytes first say "my-slug": that message is number 0
        ...                              # the write; its fourth message never arrives
        cut.fired                        # whether there was a fourth

`arm_commit` waits for that connection's COMMIT, whatever its number. `answered=True` lets the message through and
withholds what the server says to it: the lost answer to a COMMIT. asyncpg waits for the answer to each message before
it sends the next, and a message is one write, so pieces are messages.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class CuttingProxy:
    """Passes everything on until it is armed and the moment has come."""

    def __init__(self, port: int) -> None:
        self._far = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self.port = 0
        self.fired = False
        self._marker: bytes | None = None
        self._steps, self._answered, self._commit = 0, False, False

    def arm(self, marker: str, steps: int, *, answered: bool = False) -> None:
        self._marker, self._steps, self._answered, self.fired = marker.encode(), steps, answered, False
        self._commit = False

    def arm_commit(self, marker: str) -> None:
        """The answer to that transaction's COMMIT is withheld."""
        self.arm(marker, 0, answered=True)
        self._commit = True

    def disarm(self) -> None:
        self._marker = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far)
        answers = asyncio.get_running_loop().create_task(_pass_on(far_reader, writer))
        try:
            await self._questions(reader, far_reader, far_writer, answers)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)
            far_writer.transport.abort()
            writer.transport.abort()
            self._open.discard(task)

    async def _questions(
        self,
        reader: asyncio.StreamReader,
        far_reader: asyncio.StreamReader,
        far: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        step = -1  # of the armed transaction, on this connection; -1: it is not here
        while piece := await reader.read(1 << 20):
            if step < 0 and self._marker is not None and self._marker in piece and not self.fired:
                step = 0
            if step >= 0 and self._marker is None:
                step = -1
            if step >= 0 and (b"COMMIT" in piece if self._commit else step == self._steps):
                self.fired, self._marker = True, None
                if self._answered:
                    answers.cancel()
                    await asyncio.gather(answers, return_exceptions=True)
                    far.write(piece)
                    await far.drain()
                    _ = await far_reader.read(1)  # the server has done it; its answer goes nowhere
                return
            step += step >= 0
            far.write(piece)
            await far.drain()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1 << 20):
        writer.write(piece)
        await writer.drain()
    writer.transport.abort()
