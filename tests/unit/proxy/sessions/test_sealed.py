from __future__ import annotations

import base64
import time
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import new_key, parse_key_ring
from proxy.redis import Redis, RedisAway
from proxy.sessions.sealed import LIFETIME_S, Session, Sessions

RING = parse_key_ring("proxy", new_key())


class Redis(Redis):
    """Tombstones in a set; `gone` makes it unreachable."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.gone = False

    @property
    def commands(self) -> Redis:
        return self

    def exists(self, key: str) -> tuple[str, str]:
        return "exists", key

    def set(self, key: str, value: bytes, ex: int) -> tuple[str, str]:
        assert 0 < ex <= LIFETIME_S
        return "set", key

    async def ask(self, command: object) -> object:
        if self.gone:
            raise RedisAway
        what, key = command  # type: ignore[misc]
        if what == "set":
            self.keys.add(key)
        return key in self.keys


def sessions(redis: Redis | None = None, ring: object = RING) -> Sessions:
    return Sessions(ring, redis or Redis())  # type: ignore[arg-type]


async def test_any_worker_with_the_key_opens_a_session_for_its_owner_on_its_gateway() -> None:
    text, session = sessions().new("gateway", "user:1", "2025-11-25", 3)
    assert await sessions().open(text, "gateway", "user:1") == session
    assert (session.version, session.capabilities, len(bytes.fromhex(session.jti))) == ("2025-11-25", 3, 16)
    assert text.isascii()
    assert "=" not in text


async def test_nobody_else_and_nowhere_else() -> None:
    text, _ = sessions().new("gateway", "user:1", "2025-11-25", 0)
    for gateway, principal in (("other", "user:1"), ("gateway", "user:2"), ("gateway", "team:1"), ("", "")):
        assert await sessions().open(text, gateway, principal) is None
    assert await sessions(ring=parse_key_ring("p", new_key())).open(text, "gateway", "user:1") is None


async def test_a_changed_identifier_opens_nothing() -> None:
    text, _ = sessions().new("gateway", "user:1", "2025-11-25", 0)
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        other = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        assert await sessions().open(other, "gateway", "user:1") is None


@given(text=st.text(max_size=600))
async def test_a_chosen_identifier_opens_nothing(text: str) -> None:
    assert await sessions().open(text, "gateway", "user:1") is None


async def test_a_session_ends_after_a_day() -> None:
    here = sessions()
    text, session = here.new("gateway", "user:1", "2025-11-25", 0)
    assert await here.open(text, "gateway", "user:1") == session
    with patch("proxy.sessions.sealed.time.time", return_value=time.time() + LIFETIME_S + 2):
        assert here.known(text, "gateway", "user:1") is None
        assert await here.open(text, "gateway", "user:1") is None


async def test_an_ended_session_is_ended_for_every_worker() -> None:
    redis = Redis()
    here, there = sessions(redis), sessions(redis)
    text, session = here.new("gateway", "user:1", "2025-11-25", 0)
    await here.end(session)
    assert await here.open(text, "gateway", "user:1") is None
    assert await there.open(text, "gateway", "user:1") is None
    assert there.has_ended(session.jti)


async def test_a_worker_that_knew_it_forgets_it_by_letter_and_looks_again_after_missing_letters() -> None:
    redis = Redis()
    here, there = sessions(redis), sessions(redis)
    text, session = here.new("gateway", "user:1", "2025-11-25", 0)
    assert await there.open(text, "gateway", "user:1") == session
    assert there.known(text, "gateway", "user:1") == session
    assert there.known(text, "gateway", "user:2") is None

    await here.end(session)
    assert there.known(text, "gateway", "user:1") == session
    there.forget_seen()
    assert there.known(text, "gateway", "user:1") is None
    assert await there.open(text, "gateway", "user:1") is None


async def test_while_redis_is_away_sessions_go_on_but_are_looked_at_again() -> None:
    redis = Redis()
    redis.gone = True
    here = sessions(redis)
    text, session = here.new("gateway", "user:1", "2025-11-25", 0)
    assert await here.open(text, "gateway", "user:1") == session
    assert here.known(text, "gateway", "user:1") is None
    await here.end(session)
    assert await here.open(text, "gateway", "user:1") is None


@pytest.mark.parametrize("cap", [3])
async def test_what_is_remembered_is_bounded(cap: int) -> None:
    here = sessions()
    with patch("proxy.sessions.sealed._CACHED", cap):
        opened = [here.new("gateway", "user:1", "2025-11-25", 0) for _ in range(cap + 2)]
        for text, _ in opened:
            await here.open(text, "gateway", "user:1")
        for number in range(cap + 2):
            here.end_here(str(number))
    assert (len(here._seen), len(here._ended)) == (cap, cap)
    assert isinstance(opened[0][1], Session)
