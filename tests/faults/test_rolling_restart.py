"""Workers are replaced one by one under load: nobody is refused, nothing that can finish is cut.

DESIGN 2: "Drain: ready goes false; stop accepting; each further answer says `Connection: close`; idle connections
wait for their next request or the end of the grace; streams end with a goodbye at a jittered moment; exit."
`ARCHWAY_TEST_STREAMS=5000` makes it the size of the trust row.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from core.tasks import Tasks
from proxy.listening.drain import GOODBYE
from tests.fakes.certificates import Authority
from tests.fakes.toxic_proxy import ToxicProxy
from tests.fixtures_program import eventually
from tests.fixtures_supervised import SupervisedProxy, new_session, supervised
from tests.proxy.conftest import LANES

STREAMS = int(os.environ.get("ARCHWAY_TEST_STREAMS", "200"))
SLOW_CALLS = 24
GRACE_S = 3.0
CONNECTING, KEPT = 48, 16
ROLL_WITHIN_S = 120.0
A_BUSY_MACHINE_S = 10.0
"""Beyond the second that is promised: other tests share the machine; the figure is printed (`pytest -s`)."""


class Clients:
    """Callers who go on until they are told to stop; each failure is kept."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.answered = 0
        self._tasks = Tasks("clients")
        self._running: list[asyncio.Task[None]] = []
        self._stopping = False

    def add(self, call: Callable[[], Awaitable[None]], think_s: float) -> None:
        """One more, with a pause of up to `think_s` between two calls."""
        self._running.append(self._tasks.spawn("client", self._go_on(call, think_s)))

    async def stop(self) -> None:
        """Their last calls answered."""
        self._stopping = True
        await asyncio.gather(*self._running)

    async def _go_on(self, call: Callable[[], Awaitable[None]], think_s: float) -> None:
        while not self._stopping:
            try:
                await call()
                self.answered += 1
            except (aiohttp.ClientError, TimeoutError, AssertionError) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(random.uniform(0.0, think_s))


def connects_again(proxy: SupervisedProxy, session: aiohttp.ClientSession) -> Callable[[], Awaitable[None]]:
    return lambda: proxy.call(session=session)


class Stream:
    """One GET stream read to its end."""

    def __init__(self) -> None:
        self.text = b""
        self.began = asyncio.Event()
        self.ended = 0.0
        self.broke = ""

    async def read(self, proxy: SupervisedProxy, session: aiohttp.ClientSession) -> None:
        headers = proxy.legacy_headers(await proxy.open_session(session)) | {"Accept": "text/event-stream"}
        try:
            async with session.get(proxy.url, headers=headers, timeout=aiohttp.ClientTimeout(None)) as answer:
                assert answer.status == 200, answer
                async for chunk in answer.content.iter_any():
                    self.text += chunk
                    self.began.set()
        except aiohttp.ClientError as error:  # also where the last chunk does not come
            self.broke = f"{type(error).__name__}: {error}"
        self.ended = time.monotonic()


async def opened_streams(proxy: SupervisedProxy, tasks: Tasks, session: aiohttp.ClientSession) -> list[Stream]:
    at_once = asyncio.Semaphore(32)
    streams = [Stream() for _ in range(STREAMS)]

    async def begin(stream: Stream) -> asyncio.Task[None]:
        async with at_once:
            task = tasks.spawn("stream", stream.read(proxy, session))
            await asyncio.wait_for(stream.began.wait(), 30)
            return task

    _ = await asyncio.gather(*(begin(stream) for stream in streams))
    return streams


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("_", [pytest.param(0, id="F-8: rolling restart with streams and slow calls")])
async def test_a_rolling_restart_refuses_nobody_and_cuts_nothing_that_can_finish(
    tmp_path: Path, lane: str, _: int
) -> None:
    """(a) no connection is refused; (b) every call that fits in the grace is answered, every stream ends with a
    goodbye and its last chunk, not all in one moment, and each worker is gone within the grace and a second."""
    async with (
        supervised(tmp_path, workers=2, lane=lane, grace_seconds=f"{GRACE_S:g}") as proxy,
        new_session() as streaming,
        new_session() as calling,
        new_session(force_close=True) as connecting,
    ):
        tasks, clients = Tasks("streams"), Clients()
        streams = await opened_streams(proxy, tasks, streaming)
        for _number in range(8):
            clients.add(connects_again(proxy, connecting), 0.05)
        await eventually(lambda: answered(clients, 20), 60, "callers are answered")
        slow = [
            tasks.spawn("slow", proxy.tool_call("slow", {"seconds": seconds}, session=calling))
            for seconds in (random.uniform(0.9 * GRACE_S, 1.05 * GRACE_S) for _ in range(SLOW_CALLS))
        ]
        await proxy.upstream.wait_for("tools/call", SLOW_CALLS, tool="slow", within=60)
        before = proxy.workers
        proxy.hup()
        assert await asyncio.gather(*slow) == ["done"] * SLOW_CALLS
        await proxy.rolled(before, ROLL_WITHIN_S)
        await eventually(lambda: have_ended(streams), 60, "every stream has ended")
        await clients.stop()

        assert clients.failures == []
        assert [stream.broke for stream in streams if stream.broke] == []
        assert all(stream.text.endswith(GOODBYE) for stream in streams)
        assert min(spreads(streams)) > GRACE_S / 3, "they all ended at once"
        left = proxy.said("worker left")
        assert len(left) == 2, proxy.program.log[-2000:]
        print(len(streams), "streams; workers left after", [line["took_s"] for line in left], "s; grace", GRACE_S)
        assert all(line["took_s"] <= GRACE_S + 1.0 + A_BUSY_MACHINE_S for line in left), left
        assert proxy.said("worker did not end in time") == []


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("_", [pytest.param(0, id="F-8: four workers under 48 connecting clients")])
async def test_rolling_four_workers_resets_no_connecting_client_and_loses_no_call_of_a_kept_connection(
    tmp_path: Path, lane: str, _: int
) -> None:
    """48 clients connect for each call; 16 keep their connection, think up to 50 ms between two calls, and are 2 ms
    away: whoever closes an idle connection under them loses the call that is on the line."""
    async with (
        supervised(tmp_path, workers=4, lane=lane, grace_seconds="1") as proxy,
        ToxicProxy("127.0.0.1", proxy.program.port) as line,
        new_session(force_close=True) as connecting,
    ):
        await line.set(latency=0.002)
        clients, kept = Clients(), [new_session() for _ in range(KEPT)]
        for _number in range(CONNECTING):
            clients.add(connects_again(proxy, connecting), 0.2)
        far = f"http://127.0.0.1:{line.port}/v1/mcp/g"
        for session in kept:
            clients.add(lambda session=session: proxy.call(session=session, url=far), 0.05)  # type: ignore[misc]
        await eventually(lambda: answered(clients, 200), 60, "callers are answered")
        before, then = proxy.workers, clients.answered
        proxy.hup()
        await proxy.rolled(before, ROLL_WITHIN_S)
        during = clients.answered - then
        await clients.stop()
        for session in kept:
            await session.close()
        assert clients.failures == []
        assert during > CONNECTING + KEPT, "hardly anybody called while the workers were replaced"


@pytest.mark.parametrize("_", [pytest.param(0, id="F-8: a new worker that fails")])
async def test_a_roll_to_workers_that_cannot_start_keeps_the_old_ones_and_says_so(tmp_path: Path, _: int) -> None:
    """The TLS files are broken by the time of the roll: a new worker refuses them, and the old ones serve on."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    authority = Authority()
    authority.issue(cert, key)
    files = {"tls_cert": str(cert), "tls_key": str(key), "grace_seconds": "1"}
    async with supervised(tmp_path, workers=2, tls=authority.client(), **files) as proxy:
        await eventually(lambda: both_serve(proxy), 60, "both workers have read the files")
        before = proxy.workers
        await proxy.call()
        cert.write_text("no certificate")
        proxy.hup()
        stopped = "rolling stopped: a new worker failed, the old ones serve on"
        await eventually(lambda: was_said(proxy, stopped), 60, "it is said")
        assert proxy.workers == before
        await proxy.call()
        authority.issue(cert, key)
        proxy.hup()
        await proxy.rolled(before, ROLL_WITHIN_S)
        await proxy.call()


async def both_serve(proxy: SupervisedProxy) -> bool:
    return len(proxy.said("proxy worker serves")) == 2


async def answered(clients: Clients, calls: int) -> bool:
    return clients.answered >= calls


async def have_ended(streams: list[Stream]) -> bool:
    return all(stream.ended for stream in streams)


def spreads(streams: list[Stream]) -> list[float]:
    """Seconds between the first and the last goodbye of each worker's streams; they left one after the other, so the
    longest silence lies between them. A worker of which hardly any stream was says nothing."""
    moments = sorted(stream.ended for stream in streams)
    parted = max(range(1, len(moments)), key=lambda at: moments[at] - moments[at - 1])
    return [part[-1] - part[0] for part in (moments[:parted], moments[parted:]) if len(part) >= 20]


async def was_said(proxy: SupervisedProxy, what: str) -> bool:
    return bool(proxy.said(what))
