import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from core.changes import Change
from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier
from core.tasks import Tasks
from proxy.gateways import changes
from proxy.gateways.changes import ChangeStream
from proxy.redis import Redis

VERIFIER = Verifier("keys", Signer(parse_key_ring("signing", new_key())).public_keys)


class Held:
    """The gateways, whose comparison does what a test says, one after the other; the last again and again."""

    def __init__(self, *comparisons: Callable[[], Awaitable[bool]]) -> None:
        self.index_current = True
        self.unseen = False
        self.compared = 0
        self._comparisons = comparisons

    async def compare(self, _epoch: str) -> bool:
        self.compared += 1
        return await self._comparisons[min(self.compared, len(self._comparisons)) - 1]()


async def a_bug() -> bool:
    raise ZeroDivisionError("a bug in the comparison")


async def done() -> bool:
    return True


async def nothing(_: Change) -> None:
    """Apply nothing."""


def stream(held: Held) -> ChangeStream:
    """A reader whose Redis is away."""
    redis = Redis("redis://127.0.0.1:1/0")
    return ChangeStream(
        redis, VERIFIER, held, apply=nothing, doubt=lambda: None, compare_every=0.0  # type: ignore[arg-type]  # the one question
    )  # fmt: skip


async def test_a_comparison_that_fails_without_redis_does_not_make_the_worker_deaf(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(changes, "_RETRY_S", 0.01)
    held = Held(a_bug, a_bug, done)
    following, tasks = stream(held), Tasks("test")
    task = tasks.spawn("changes", following.follow())
    with caplog.at_level(logging.ERROR):
        await asyncio.wait_for(following.compared_once.wait(), 30)
    assert held.compared >= 3
    assert not held.index_current
    assert not task.done()
    assert len(caplog.records) == 2
    await tasks.close()
    assert task.cancelled()


def test_an_entry_that_is_too_large_ends_the_trust_before_it_is_looked_at() -> None:
    following = stream(Held(done))
    with pytest.raises(changes._TrustLost, match="not an event"):
        following._opened({b"e": b"x"})
    for fields in ({b"e": b"x" * (64 << 10)}, {b"e": b"x", b"y": b"x" * (64 << 10)}):
        with pytest.raises(changes._TrustLost, match="entry of"):
            following._opened(fields)
