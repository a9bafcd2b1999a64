"""Which GET streams may begin, and how the aiohttp lane holds one."""

from __future__ import annotations

import asyncio

import pytest

from core.mcp.versions import MODERN
from core.tasks import Tasks
from proxy.deps import Deps
from proxy.edge.get_stream import hold_stream, take_place
from proxy.edge.stream_sweep import StreamSweep
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from tests.unit.proxy.edge.conftest import streaming, until


class Held:
    """A stream that a task holds."""

    def __init__(self, x: Exchange, deps: Deps) -> None:
        self.sent: list[bytes] = []
        self.sweep = StreamSweep(deps)
        self.task = Tasks("test").spawn("lane", hold_stream(x, deps, self.sweep, self.send))

    async def send(self, piece: bytes) -> None:
        self.sent.append(piece)
        await asyncio.sleep(0.02)

    async def ends(self) -> list[bytes]:
        await asyncio.wait_for(self.task, 30)
        return self.sent


@pytest.mark.usefixtures("quick_streams")
async def test_a_stream_begins_with_a_comment_and_gets_more_until_it_ends(deps: Deps) -> None:
    held = Held(streaming(deps), deps)
    await until(lambda: len(held.sent) >= 3)
    deps.sessions.end_here("jti")
    sent = await held.ends()
    assert all(piece.startswith(b":") for piece in sent)
    assert len(deps.streams) == len(held.sweep) == 0


@pytest.mark.usefixtures("quick_streams")
async def test_a_stream_says_goodbye_where_the_worker_drains(deps: Deps) -> None:
    held = Held(streaming(deps), deps)
    await asyncio.sleep(0.01)
    deps.draining = True
    assert b"goodbye" in (await held.ends())[-1]


@pytest.mark.usefixtures("quick_streams")
async def test_a_stream_whose_caller_was_seen_to_have_left_ends(deps: Deps) -> None:
    x = streaming(deps)
    held = Held(x, deps)
    await asyncio.sleep(0.05)
    assert not held.task.done()
    x.outlet.gone = True  # type: ignore[misc]
    await held.ends()
    assert len(deps.streams) == len(held.sweep) == 0


async def test_a_stream_whose_caller_leaves_gives_its_place_back(deps: Deps) -> None:
    held = Held(streaming(deps), deps)
    await asyncio.sleep(0.01)
    assert len(deps.streams) == 1
    held.task.cancel()
    await asyncio.wait((held.task,))
    assert len(deps.streams) == len(held.sweep) == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"headers": {"accept": "text/event-stream", "mcp-protocol-version": MODERN}}, "method_not_allowed"),
        ({"headers": {"accept": "application/json"}}, "not_acceptable"),
        ({"headers": {}}, "not_acceptable"),
        ({"session": None}, "session_missing"),
    ],
)
def test_a_stream_is_for_legacy_sessions_that_accept_one(deps: Deps, change: dict[str, object], reason: str) -> None:
    x = streaming(deps)
    for name, value in change.items():
        setattr(x, name, value)
    with pytest.raises(Refusal, match=reason):
        take_place(x, deps)


def test_a_worker_without_places_says_that_it_is_busy(deps: Deps) -> None:
    for number in range(deps.settings.streams):
        assert deps.streams.open(f"another-{number}", f"user:{number}", deps.settings.streams)
    with pytest.raises(Refusal, match="overloaded"):
        take_place(streaming(deps), deps)


def test_a_session_has_one_stream(deps: Deps) -> None:
    x = streaming(deps)
    assert deps.streams.open("jti", "user:1", 10)
    with pytest.raises(Refusal, match="stream_open"):
        take_place(x, deps)
    assert len(deps.streams) == 1
