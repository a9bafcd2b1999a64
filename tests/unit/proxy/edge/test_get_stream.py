from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from unittest.mock import patch

import pytest

from core.mcp.versions import MODERN
from core.resolve import Principal, TokenQuestion, TokenVerdict
from core.snapshot import Visibility
from core.tokens import digest
from proxy.deps import Deps
from proxy.edge.get_stream import hold_stream, still_good
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.sessions.sealed import Session
from tests.fakes.proxy_parts import exchange, gateway, hold, known_token, user


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with (
        patch("proxy.edge.get_stream.LOOK_S", 0.01),
        patch("proxy.edge.get_stream.KEEPALIVE_S", 0.05),
        patch("proxy.listening.drain.LONGEST_GOODBYE_S", 0.05),
    ):
        yield


def streaming(deps: Deps, accept: str = "text/event-stream") -> Exchange:
    x = exchange({}, method="GET")
    x.headers, x.gateway_name = {"accept": accept}, "g"
    x.principal = user()
    x.principal_key = f"user:{x.principal.id}"
    x.gateway = hold(deps, gateway())
    x.token_digest = digest(known_token(deps, x.principal))
    x.session = Session("jti", "2025-11-25", 0, 0)
    return x


class Stream:
    def __init__(self, x: Exchange, deps: Deps) -> None:
        self.sent: list[bytes] = []
        self._x, self._deps = x, deps

    async def send(self, chunk: bytes) -> None:
        self.sent.append(chunk)

    async def hold(self) -> None:
        assert await hold_stream(self._x, self._deps, self.send) is None


async def test_a_stream_begins_with_a_comment_and_is_kept_alive_with_more(deps: Deps) -> None:
    x = streaming(deps)
    stream = Stream(x, deps)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream.hold(), 0.3)
    assert len(stream.sent) >= 3
    assert all(chunk.startswith(b":") for chunk in stream.sent)
    assert len(deps.streams) == 0


def drop_token(x: Exchange, deps: Deps) -> None:
    deps.authority.verdicts.memory.drop(x.token_digest)


def expire_token(x: Exchange, deps: Deps) -> None:
    (_, aged), *_ = deps.authority.verdicts.memory.items()
    aged.expires = 1.0


def leave(x: Exchange, deps: Deps) -> None:
    x.outlet.gone = True  # type: ignore[misc]


def hide_gateway(x: Exchange, deps: Deps) -> None:
    hold(deps, gateway(visibility=Visibility("personal", owner="another")))


ENDS: dict[str, Callable[[Exchange, Deps], None]] = {
    "the session was ended": lambda x, deps: deps.sessions.end_here("jti"),
    "the token was revoked": drop_token,
    "the token has expired": expire_token,
    "the gateway is gone": lambda x, deps: deps.gateways.forget(x.gateway.id),  # type: ignore[union-attr]
    "the gateway admits the caller no more": hide_gateway,
    "the worker drains": lambda x, deps: setattr(deps, "draining", True),
    "the caller has left": leave,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_stream_ends_when(deps: Deps, end: Callable[[Exchange, Deps], None]) -> None:
    x = streaming(deps)
    stream = Stream(x, deps)
    assert still_good(x, deps)
    async with asyncio.TaskGroup() as group, asyncio.timeout(30):
        holding = group.create_task(stream.hold())
        await asyncio.sleep(0.03)
        assert not holding.done()
        end(x, deps)
        await holding
    assert len(deps.streams) == 0


def control_says(deps: Deps, verdict: TokenVerdict, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    async def token(question: TokenQuestion) -> TokenVerdict:
        asked.append(question.digest)
        return verdict

    monkeypatch.setattr(deps.authority._control, "token", token)
    return asked


async def test_a_stream_survives_that_its_verdict_made_room_for_another(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = streaming(deps)
    asked = control_says(deps, TokenVerdict(x.token_digest, x.principal, "token-id"), monkeypatch)
    deps.authority.verdicts.memory._held.clear()  # as the least recently used go
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Stream(x, deps).hold(), 0.3)
    assert asked == [x.token_digest]


async def test_a_stream_goes_by_what_the_new_verdict_says_of_its_caller(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = streaming(deps)
    assert x.principal is not None
    x.principal = Principal("user", x.principal.id, "Ada", frozenset({"red"}))
    x.gateway = hold(deps, gateway(visibility=Visibility("teams", teams=["red"])))
    assert still_good(x, deps)
    control_says(deps, TokenVerdict(x.token_digest, Principal("user", x.principal.id, "Ada"), "id"), monkeypatch)
    await deps.authority.forget_principal("user", x.principal.id)
    deps.authority.verdicts.memory.drop(x.token_digest)
    await asyncio.wait_for(Stream(x, deps).hold(), 30)


async def test_a_token_that_nobody_vouches_for_any_more_ends_its_stream_without_an_announcement(deps: Deps) -> None:
    """While Redis is away no announcement can come: the token is asked about with the comments."""
    x = streaming(deps)
    ((_, aged),) = deps.authority.verdicts.memory.items()
    aged.asked -= deps.settings.max_stale + 1
    await asyncio.wait_for(Stream(x, deps).hold(), 30)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"headers": {"accept": "text/event-stream", "mcp-protocol-version": MODERN}}, "method_not_allowed"),
        ({"headers": {"accept": "application/json"}}, "not_acceptable"),
        ({"headers": {}}, "not_acceptable"),
        ({"session": None}, "session_missing"),
    ],
)
async def test_a_stream_is_for_legacy_sessions_that_accept_one(
    deps: Deps, change: dict[str, object], reason: str
) -> None:
    x = streaming(deps)
    for name, value in change.items():
        setattr(x, name, value)
    with pytest.raises(Refusal, match=reason):
        await Stream(x, deps).hold()


async def test_a_worker_without_places_says_that_it_is_busy(deps: Deps) -> None:
    for number in range(deps.settings.streams):
        assert deps.streams.open(f"another-{number}", f"user:{number}", deps.settings.streams)
    with pytest.raises(Refusal, match="overloaded"):
        await Stream(streaming(deps), deps).hold()


async def test_a_session_has_one_stream(deps: Deps) -> None:
    x = streaming(deps)
    assert deps.streams.open("jti", "user:1", 10)
    with pytest.raises(Refusal, match="stream_open"):
        await Stream(x, deps).hold()
    assert len(deps.streams) == 1
