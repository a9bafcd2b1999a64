"""Five thousand open event streams of one worker (row L-3), in virtual time: what each is sent, and when."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from core.identifiers import new_id
from core.mcp.event_stream import COMMENT_KEEPALIVE
from core.mcp.versions import Era
from core.snapshot import FORMAT, Gateway, Visibility
from core.tokens import digest
from proxy.edge.stream_sweep import KEEPALIVE_S, LOOK_S, StreamSweep
from proxy.exchange import Exchange
from proxy.gateways.compiled import CompiledGateway
from proxy.sessions.sealed import Session
from proxy.worker import Worker
from tests.fakes.callers import caller_of
from tests.fakes.proxy_parts import exchange, hold, known_token, proxy_settings, tool, user
from tests.fakes.virtual_loop import VirtualLoop, VirtualTime

STREAMS, GATEWAYS = 5_000, 10
NEWS = b'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n'


class Stream:
    """A stream as a lane writes it, which notes what it is sent at what time."""

    def __init__(self, clock: VirtualTime) -> None:
        self._clock = clock
        self.said: list[tuple[float, bytes]] = []
        self.ended = False

    def say(self, piece: bytes) -> None:
        self.said.append((self._clock.now, piece))

    def end_stream(self, last: bytes) -> None:
        self.ended = True

    def times(self, piece: bytes) -> list[float]:
        return [at for at, said in self.said if said == piece]


class Scene:
    """A worker with its streams, over ten gateways, and a loop whose time passes at once."""

    def __init__(self, clock: VirtualTime) -> None:
        self.clock = clock
        self.loop = VirtualLoop(clock)
        self.loop.run_until_complete(self._opened())

    async def _opened(self) -> None:
        self.worker = Worker(proxy_settings(soft_age=3_600.0))
        self.deps = self.worker.deps
        self.sweep = StreamSweep(self.deps)
        self.gateways = [compiled(f"g{number}", 1) for number in range(GATEWAYS)]
        for one in self.gateways:
            hold(self.deps, one)
        self.streams = [Stream(self.clock) for _ in range(STREAMS)]
        for number, stream in enumerate(self.streams):
            self.sweep.add(stream, self._exchange(number))

    def _exchange(self, number: int) -> Exchange:
        held = self.gateways[number % GATEWAYS]
        x, principal = exchange({}, method="GET"), user()
        x.gateway, x.gateway_name, x.era = held, held.snapshot.slug, Era.LEGACY
        x.caller = caller_of(principal, digest(known_token(self.deps, principal)))
        x.session = Session(f"jti-{number}", "2025-11-25", 0, int(self.clock.time()))
        assert self.deps.streams.open(x.session.jti, x.caller.key, 4 * STREAMS)
        return x

    def pass_seconds(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def hear_of(self, name: str) -> None:
        """The change stream tells of a gateway."""

        async def look() -> None:
            assert self.deps.streams.look_at(lambda _, gateway, __: gateway == name) == []

        self.loop.run_until_complete(look())

    def end(self) -> None:
        self.loop.run_until_complete(self.worker.close())
        self.loop.close()


def compiled(slug: str, revision: int, *names: str, id: str = "") -> CompiledGateway:
    tools = [tool(name) for name in names]
    return CompiledGateway(Gateway(FORMAT, id or new_id(), slug, slug, revision, Visibility("organisation"), tools))


@pytest.fixture
def scene() -> Iterator[Scene]:
    clock = VirtualTime()
    with clock.everywhere():
        one = Scene(clock)
        yield one
        one.end()


@pytest.mark.parametrize("_row", [pytest.param(0, id="L-3: 5,000 streams kept alive")])
def test_each_is_sent_a_comment_within_every_fifteen_seconds_and_not_all_at_once(scene: Scene, _row: int) -> None:
    began = scene.clock.now
    scene.pass_seconds(4 * KEEPALIVE_S)
    sent: Counter[float] = Counter()
    for stream in scene.streams:
        times = [began, *stream.times(COMMENT_KEEPALIVE)]
        gaps = [later - before for before, later in pairwise(times)]
        assert len(gaps) >= 3
        assert all(0.7 * KEEPALIVE_S <= gap <= KEEPALIVE_S + 2 * LOOK_S for gap in gaps)
        assert not stream.ended
        sent.update(times[1:])
    assert max(sent.values()) < STREAMS / 20


@pytest.mark.parametrize("_row", [pytest.param(0, id="L-3: news for one stream in ten")])
def test_news_reaches_its_streams_at_once_and_no_others(scene: Scene, _row: int) -> None:
    for second, changed in enumerate(scene.gateways):
        scene.pass_seconds(1.0)
        hold(scene.deps, compiled(changed.snapshot.slug, 2, "a_tool", id=changed.id))
        told_at = scene.clock.now
        scene.hear_of(changed.snapshot.slug)
        theirs = [stream for number, stream in enumerate(scene.streams) if number % GATEWAYS == second]
        assert [stream.times(NEWS) for stream in theirs] == [[told_at]] * (STREAMS // GATEWAYS)
    scene.pass_seconds(1.0)
    assert all(len(stream.times(NEWS)) == 1 for stream in scene.streams)
