"""One process of a whole system: started, killed, frozen and started again. `fixtures_system.py` makes them."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp

from proxy.telemetry.exposition import render

ROOT = Path(__file__).resolve().parents[1]
STARTS_WITHIN_S = 90.0
_DIES_WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


class Program:
    """One process of ours: started, killed, frozen and started again with the same settings and ports."""

    def __init__(
        self,
        name: str,
        module: list[str],
        environment: Mapping[str, str],
        port: int,
        folder: Path,
        counts: Path | None = None,
        scheme: str = "http",
    ) -> None:
        self.name, self.port, self._counts, self._scheme = name, port, counts, scheme
        self.environment = dict(environment)
        self._command = [*_DIES_WITH_US, sys.executable, "-P", *module]
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it has said so far, over all its lives."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Begin; `ready` waits for it. For the main thread: the kernel ends a child with its parent's thread."""
        usual = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(self._log.parent)}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env={**usual, **self.environment}, cwd=ROOT, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    async def ready(self, session: aiohttp.ClientSession) -> None:
        """Until `/ready` says so."""

        async def is_ready() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, f"{self.name} ended:\n{self.log[-3000:]}"
            try:
                timeout = aiohttp.ClientTimeout(2)
                async with session.get(
                    self.url + "/ready", timeout=timeout, headers={"Connection": "close"}
                ) as answer:
                    return answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                return False

        await eventually(is_ready, STARTS_WITHIN_S, f"{self.name} is ready")

    async def kill(self) -> None:
        """Gone at once (SIGKILL)."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Asked to end (SIGTERM), and waited for."""
        await self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Keeps its connections, does nothing (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def counted(self, name: str) -> float:
        """A metric of this worker, 0 where there is none yet."""
        assert self._counts is not None
        if not self._counts.exists():
            return 0.0
        lines = render([self._counts]).decode().splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == name), 0.0)

    async def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)  # one that is frozen can still be asked
        deadline = time.monotonic() + 20
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()
            await asyncio.sleep(0.01)


async def eventually(check: Callable[[], Awaitable[bool]], within: float, what: str) -> float:
    """Wait until `check` holds; the seconds that it took. Fails with `what` after `within` seconds."""
    began = time.monotonic()
    while not await check():
        assert time.monotonic() - began < within, f"not within {within:g} s: {what}"
        await asyncio.sleep(0.02)
    return time.monotonic() - began
