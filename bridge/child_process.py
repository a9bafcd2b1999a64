"""The server as a process: started with three pipes, read line by line, and ended with all that it started.

One `ChildProcess` is one run. It leaves to `run.py` what the lines mean and to `kept_server.py` when it starts again.
It is started without asyncio's own way, which waits for a process by its pid, while process 1 has to wait for all.
"""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, Final

from bridge.lines import Lines, TooLong
from bridge.orphans import end_descendants, signal_group

MOST_UNSENT: Final = 16 << 20
"""Bytes that wait for a server that does not read its input."""
LONGEST_WORDS: Final = 64 << 10
"""Bytes of one line of its standard error; of a longer one nothing is kept."""
_ENDED_S: Final = 5.0
"""For the system to end what was killed."""
_LAST_WORDS_S: Final = 1.0
"""For what a program printed before its end, which another may hold open."""

TakeLine = Callable[[bytes | TooLong], None]


class InputFull(Exception):
    """The server does not read its input, and more than that is not kept for it."""


class ChildProcess:
    """One run of a program, from `start` to `stop`."""

    def __init__(self) -> None:
        self._readers: tuple[_Reader, ...] = ()
        self._input: asyncio.WriteTransport | None = None
        self._outputs: list[asyncio.BaseTransport] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int:
        """Of the program; 0 before its start."""
        return self._process.pid if self._process is not None else 0

    @property
    def status(self) -> int | None:
        """With which it ended, as `subprocess` has it; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        printed: TakeLine,
        words: TakeLine,
        most_line: int,
    ) -> None:
        """Start it in a session of its own. Raises OSError where there is no such program, or no room for one.

        `printed` takes lines of its standard output, of at most `most_line` bytes each, `words` its standard error.
        """
        process = subprocess.Popen(  # noqa: ASYNC220 (it returns once the program runs)
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
            bufsize=0,
        )
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        loop = asyncio.get_running_loop()
        self._readers = (_Reader(Lines(most_line), printed), _Reader(Lines(LONGEST_WORDS), words))
        self._input, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)
        for reader, pipe in zip(self._readers, (process.stdout, process.stderr), strict=True):
            self._outputs.append(await _connected(loop, reader, pipe))

    def send(self, message: bytes) -> None:
        """Send one message, JSON without line ends. Raises InputFull. To one that has ended nothing is sent."""
        if self._input is None or self._input.is_closing():
            return
        if self._input.get_write_buffer_size() > MOST_UNSENT:
            raise InputFull
        self._input.write(message + b"\n")

    def note_end(self, status: int) -> None:
        """It has ended and was reaped."""
        if self._process is not None:
            self._process.returncode = status
        if not self._ended.done():
            self._ended.set_result(status)

    async def wait(self) -> int:
        """Its status once it has ended, and all is read that it printed; what it left behind may hold a pipe open."""
        status = await asyncio.shield(self._ended)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                for reader in self._readers:
                    await reader.is_over.wait()
        return status

    async def stop(self, within_s: float) -> None:
        """Close its input, then ask it to end, then end it by force with all that it started (MCP 2025-11-25,
        lifecycle, "Shutdown"). The first two have so many seconds together.
        """
        if self._process is None:
            return
        if self._input is not None:
            self._input.close()
        if not await self._has_ended(within_s / 2):
            signal_group(self._process.pid, signal.SIGTERM)
            _ = await self._has_ended(within_s / 2)
        signal_group(self._process.pid, signal.SIGKILL)
        end_descendants()
        _ = await self._has_ended(_ENDED_S)
        for output in self._outputs:
            output.close()
        if self._input is not None:
            self._input.abort()

    async def _has_ended(self, within_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                _ = await asyncio.shield(self._ended)
        return self._ended.done()


class _Reader(asyncio.Protocol):
    """Takes what comes through one pipe."""

    def __init__(self, lines: Lines, take: TakeLine) -> None:
        self._lines, self._take = lines, take
        self.is_over = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._take(line)

    def connection_lost(self, exc: BaseException | None) -> None:
        for line in self._lines.feed(b"\n"):  # what it said last may have no end
            self._take(line)
        self.is_over.set()


async def _connected(loop: asyncio.AbstractEventLoop, reader: _Reader, pipe: IO[Any]) -> asyncio.BaseTransport:
    transport, _ = await loop.connect_read_pipe(lambda: reader, pipe)
    return transport
