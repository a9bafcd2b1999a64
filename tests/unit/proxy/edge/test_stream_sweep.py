"""What ends an open GET stream, in either lane, and what it is told while it is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from unittest.mock import patch

import pytest

from core.mcp.event_stream import COMMENT_KEEPALIVE
from core.resolve import CallerQuestion, CallerVerdict, Principal
from core.snapshot import Visibility
from proxy.deps import Deps
from proxy.edge.get_stream import take_place
from proxy.edge.stream_sweep import HeldStream, StreamSweep, still_good
from proxy.exchange import Exchange
from proxy.listening.drain import GOODBYE
from proxy.sessions.sealed import LIFETIME_S, Session
from tests.fakes.callers import caller_of
from tests.fakes.proxy_parts import gateway, hold
from tests.unit.proxy.edge.conftest import streaming, until

pytestmark = pytest.mark.usefixtures("quick_streams")


class Stream:
    """A stream that a lane writes."""

    def __init__(self, x: Exchange, deps: Deps) -> None:
        self.said: list[bytes] = []
        self.last: bytes | None = None
        self.ended = asyncio.Event()
        self.sweep = StreamSweep(deps)
        take_place(x, deps)
        self.sweep.add(self, x)

    def say(self, piece: bytes) -> None:
        self.said.append(piece)

    @property
    def comments(self) -> int:
        return self.said.count(COMMENT_KEEPALIVE)

    def end_stream(self, last: bytes) -> None:
        assert not self.ended.is_set()
        self.last = last
        self.ended.set()

    async def ends(self) -> bytes | None:
        await asyncio.wait_for(self.ended.wait(), 30)
        return self.last


async def test_a_stream_is_kept_alive_with_comments(deps: Deps) -> None:
    stream = Stream(streaming(deps), deps)
    await until(lambda: stream.comments >= 3)
    assert not stream.ended.is_set()


async def test_a_stream_whose_caller_has_left_is_looked_at_no_more(deps: Deps) -> None:
    stream = Stream(streaming(deps), deps)
    assert len(stream.sweep) == len(deps.streams) == 1
    stream.sweep.drop(stream)
    stream.sweep.drop(stream)
    assert len(stream.sweep) == len(deps.streams) == 0
    await asyncio.sleep(0.1)
    assert (stream.comments, stream.ended.is_set()) == (0, False)


@pytest.mark.parametrize(("age", "over"), [(0, False), (LIFETIME_S - 60, False), (LIFETIME_S + 60, True)])
async def test_a_stream_is_good_for_as_long_as_its_session_may_last(deps: Deps, age: int, over: bool) -> None:
    x = streaming(deps)
    x.session = Session("jti", "2025-11-25", 0, int(time.time()) - age)
    assert x.session.is_over is over
    assert still_good(HeldStream(x, 0.0), deps) is not over


async def test_while_a_drained_stream_waits_for_its_goodbye_its_session_may_still_end_it(deps: Deps) -> None:
    with patch("proxy.edge.stream_sweep.goodbye_after", return_value=60.0):
        stream = Stream(streaming(deps), deps)
        deps.draining = True
        await asyncio.sleep(0.1)
        assert not stream.ended.is_set()
        deps.sessions.end_here("jti")
        assert await stream.ends() == b""


async def test_while_a_drained_stream_waits_for_its_goodbye_its_token_may_still_end_it(deps: Deps) -> None:
    with patch("proxy.edge.stream_sweep.goodbye_after", return_value=60.0):
        x = streaming(deps)
        stream = Stream(x, deps)
        deps.draining = True
        await asyncio.sleep(0.1)
        drop_token(x, deps)
        assert await stream.ends() == b""


def drop_token(x: Exchange, deps: Deps) -> None:
    deps.authority.verdicts.memory.drop(x.caller.proof.digest)


def expire_token(x: Exchange, deps: Deps) -> None:
    (_, aged), *_ = deps.authority.verdicts.memory.items()
    aged.expires = 1.0


def hide_gateway(x: Exchange, deps: Deps) -> None:
    hold(deps, gateway(visibility=Visibility("personal", owner="another")))


def let_a_day_pass(x: Exchange, deps: Deps) -> None:
    object.__setattr__(x.session, "issued", int(time.time()) - LIFETIME_S - 1)  # the token is as good as before


ENDS: dict[str, Callable[[Exchange, Deps], None]] = {
    "the session was ended": lambda x, deps: deps.sessions.end_here("jti"),
    "the session has lasted its day": let_a_day_pass,
    "the token was revoked": drop_token,
    "the token has expired": expire_token,
    "the gateway is gone": lambda x, deps: deps.gateways.forget(x.gateway.id),  # type: ignore[union-attr]
    "the gateway admits the caller no more": hide_gateway,
    "the worker drains": lambda x, deps: setattr(deps, "draining", True),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_stream_ends_when(deps: Deps, end: Callable[[Exchange, Deps], None]) -> None:
    x = streaming(deps)
    stream = Stream(x, deps)
    await asyncio.sleep(0.03)
    assert not stream.ended.is_set()
    end(x, deps)
    assert (await stream.ends() == GOODBYE) is deps.draining
    assert len(stream.sweep) == len(deps.streams) == 0


def control_says(deps: Deps, verdict: CallerVerdict, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    async def caller(question: CallerQuestion) -> CallerVerdict:
        asked.append(question.digest)
        return verdict

    monkeypatch.setattr(deps.authority._control, "caller", caller)
    return asked


async def test_a_stream_survives_that_its_verdict_made_room_for_another(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = streaming(deps)
    asked = control_says(deps, CallerVerdict(x.caller.proof.digest, x.caller.principal, "token-id"), monkeypatch)
    deps.authority.verdicts.memory._held.clear()  # as the least recently used go
    stream = Stream(x, deps)
    await until(lambda: stream.comments >= 2)
    assert not stream.ended.is_set()
    assert asked == [x.caller.proof.digest]


async def test_a_stream_goes_by_what_the_new_verdict_says_of_its_caller(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = streaming(deps)
    assert x.caller.principal is not None
    ada, digest = x.caller.principal.id, x.caller.proof.digest
    x.caller = caller_of(Principal("user", ada, "Ada", frozenset({"red"})), digest)
    x.gateway = hold(deps, gateway(visibility=Visibility("teams", teams=["red"])))
    assert still_good(HeldStream(x, 0.0), deps)
    control_says(deps, CallerVerdict(digest, Principal("user", ada, "Ada"), "id"), monkeypatch)
    await deps.authority.forget_principal("user", ada)
    deps.authority.verdicts.memory.drop(digest)
    await Stream(x, deps).ends()


async def test_a_token_that_nobody_vouches_for_any_more_ends_its_stream_without_an_announcement(deps: Deps) -> None:
    """While Redis is away no announcement can come: the token is asked about with the comments."""
    x = streaming(deps)
    ((_, aged),) = deps.authority.verdicts.memory.items()
    aged.asked -= deps.settings.max_stale + 1
    aged.young_until = aged.asked
    await Stream(x, deps).ends()


async def test_a_stream_is_good_for_as_long_as_its_gateway_accepts_how_its_caller_authenticated(deps: Deps) -> None:
    x = streaming(deps)
    assert still_good(HeldStream(x, 0.0), deps)
    hold(deps, gateway(client_auth=["oauth"]))
    assert not still_good(HeldStream(x, 0.0), deps)
