from __future__ import annotations

import base64
import time
from collections.abc import Callable
from functools import partial
from unittest.mock import patch

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from core.keys import new_key, parse_key_ring
from core.resolve import Principal
from core.sealing import Sealer
from proxy.caller import STRANGER
from proxy.redis import Redis, RedisAway
from proxy.sessions.sealed import LIFETIME_S, Sessions
from tests.fakes.callers import a_user, caller_of

ONE, TWO = a_user("1"), a_user("2")
RING = parse_key_ring("proxy", new_key())


class Tombstones(Redis):
    """They are in a set; `gone` makes it unreachable, `meanwhile` is what happens before it answers."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.gone = False
        self.asked_at_once: list[int] = []
        self.meanwhile: Callable[[], None] = lambda: None

    @property
    def commands(self) -> Tombstones:
        return self

    def exists(self, key: str) -> tuple[str, str]:
        return "exists", key

    def set(self, key: str, value: bytes, ex: int) -> tuple[str, str]:
        assert 0 < ex <= LIFETIME_S
        return "set", key

    def mget(self, keys: list[str]) -> tuple[str, list[str]]:
        return "mget", keys

    async def ask(self, command: object) -> object:
        self.meanwhile()
        if self.gone:
            raise RedisAway
        what, key = command  # type: ignore[misc]
        if what == "mget":
            self.asked_at_once.append(len(key))
            return [b"1" if one in self.keys else None for one in key]
        if what == "set":
            self.keys.add(key)
        return key in self.keys


def sessions(redis: Tombstones | None = None, ring: object = RING) -> Sessions:
    return Sessions(ring, redis or Tombstones())  # type: ignore[arg-type]


async def test_any_worker_with_the_key_opens_a_session_for_its_owner_on_its_gateway() -> None:
    text, session = sessions().new("gateway", ONE, "2025-11-25", 3)
    assert await sessions().open(text, "gateway", ONE) == session
    assert (session.version, session.capabilities, len(bytes.fromhex(session.jti))) == ("2025-11-25", 3, 16)
    assert text.isascii()
    assert "=" not in text


async def test_nobody_else_and_nowhere_else() -> None:
    text, _ = sessions().new("gateway", ONE, "2025-11-25", 0)
    team = caller_of(Principal("team", "1", "1"))
    for gateway, caller in (("other", ONE), ("gateway", TWO), ("gateway", team), ("", STRANGER)):
        assert await sessions().open(text, gateway, caller) is None
    assert await sessions(ring=parse_key_ring("p", new_key())).open(text, "gateway", ONE) is None


async def test_a_changed_identifier_opens_nothing() -> None:
    text, _ = sessions().new("gateway", ONE, "2025-11-25", 0)
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        other = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        assert await sessions().open(other, "gateway", ONE) is None


@given(text=st.text(max_size=600))
async def test_a_chosen_identifier_opens_nothing(text: str) -> None:
    assert await sessions().open(text, "gateway", ONE) is None


async def test_a_session_ends_after_a_day() -> None:
    here = sessions()
    text, session = here.new("gateway", ONE, "2025-11-25", 0)
    assert await here.open(text, "gateway", ONE) == session
    with patch("proxy.sessions.sealed.time.time", return_value=time.time() + LIFETIME_S + 2):
        assert here.known(text, "gateway", ONE) is None
        assert await here.open(text, "gateway", ONE) is None


async def test_no_other_spelling_of_an_identifier_opens_its_session() -> None:
    text, session = sessions().new("gateway", ONE, "2025-11-25", 0)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # The last letter of base64 may have bits that stand for nothing, and `-_` are written `+/` elsewhere.
    others = {text[:-1] + one for one in last} | {text.replace("-", "+").replace("_", "/"), text + "="}
    for other in others - {text}:
        assert await sessions().open(other, "gateway", ONE) is None
    assert await sessions().open(text, "gateway", ONE) == session


async def test_a_buried_session_is_ended_for_every_worker() -> None:
    redis = Tombstones()
    text, session = sessions(redis).new("gateway", ONE, "2025-11-25", 0)
    assert await sessions(redis).bury(session)
    there = sessions(redis)
    assert await there.open(text, "gateway", ONE) is None
    assert there.has_ended(session.jti)


async def test_a_worker_that_knew_it_forgets_it_by_letter() -> None:
    here = sessions()
    text, session = here.new("gateway", ONE, "2025-11-25", 0)
    assert await here.open(text, "gateway", ONE) == session
    assert here.known(text, "gateway", ONE) == session
    assert here.known(text, "gateway", TWO) is None

    here.end_here(session.jti)
    assert here.known(text, "gateway", ONE) is None
    assert await here.open(text, "gateway", ONE) is None


async def test_a_worker_looks_again_after_missing_letters() -> None:
    redis = Tombstones()
    here, there = sessions(redis), sessions(redis)
    text, session = here.new("gateway", ONE, "2025-11-25", 0)
    assert await there.open(text, "gateway", ONE) == session

    await here.bury(session)
    assert there.known(text, "gateway", ONE) == session
    there.forget_seen()
    assert there.known(text, "gateway", ONE) is None
    assert await there.open(text, "gateway", ONE) is None


async def test_an_ended_session_stays_ended_however_many_others_end_after_it() -> None:
    with patch("proxy.sessions.sealed._CACHED", 3):
        here = sessions()
    text, session = here.new("gateway", ONE, "2025-11-25", 0)
    assert await here.open(text, "gateway", ONE) == session
    await here.bury(session)
    here.end_here(session.jti)
    for number in range(4):
        here.end_here(f"{number:032x}")
    assert not here.has_ended(session.jti), "too many have ended since"
    assert here.known(text, "gateway", ONE) is None
    assert await here.open(text, "gateway", ONE) is None


async def test_a_session_that_ends_while_redis_is_asked_about_it_is_not_taken_up() -> None:
    redis = Tombstones()
    for redis.gone in (False, True):
        here = sessions(redis)
        text, session = here.new("gateway", ONE, "2025-11-25", 0)
        redis.meanwhile = partial(here.end_here, session.jti)
        assert await here.open(text, "gateway", ONE) is None
        assert here.known(text, "gateway", ONE) is None


async def test_an_answer_from_before_letters_were_missed_is_not_remembered() -> None:
    redis = Tombstones()
    here = sessions(redis)
    text, session = here.new("gateway", ONE, "2025-11-25", 0)
    redis.meanwhile = here.forget_seen
    assert await here.open(text, "gateway", ONE) == session
    assert here.known(text, "gateway", ONE) is None


async def test_tombstones_of_many_sessions_are_looked_for_some_hundreds_at_once() -> None:
    redis = Tombstones()
    here = sessions(redis)
    made = [here.new("gateway", ONE, "2025-11-25", 0)[1] for _ in range(1100)]
    for session in (made[0], made[700]):
        await here.bury(session)
    jtis = [session.jti for session in made]
    assert await here.look_for(jtis)
    assert redis.asked_at_once == [500, 500, 100]
    assert [number for number, jti in enumerate(jtis) if here.has_ended(jti)] == [0, 700]
    redis.gone = True
    assert not await here.look_for(jtis)


async def test_while_redis_is_away_sessions_go_on_but_are_looked_at_again() -> None:
    redis = Tombstones()
    redis.gone = True
    here = sessions(redis)
    text, session = here.new("gateway", ONE, "2025-11-25", 0)
    assert await here.open(text, "gateway", ONE) == session
    assert here.known(text, "gateway", ONE) is None
    assert not await here.bury(session)


async def test_the_session_longest_unused_is_looked_for_again_first() -> None:
    with patch("proxy.sessions.sealed._CACHED", 2):
        here = sessions()
    first, second, third = (here.new("gateway", ONE, "2025-11-25", 0)[0] for _ in range(3))
    for text in (first, second):
        await here.open(text, "gateway", ONE)
    assert here.known(first, "gateway", ONE)
    await here.open(third, "gateway", ONE)
    known = [here.known(text, "gateway", ONE) is not None for text in (first, second, third)]
    assert known == [True, False, True]


async def test_what_is_remembered_is_bounded() -> None:
    with patch("proxy.sessions.sealed._CACHED", 3):
        here = sessions()
    for _ in range(5):
        text, _ = here.new("gateway", ONE, "2025-11-25", 0)
        await here.open(text, "gateway", ONE)
    for number in range(5):
        here.end_here(str(number))
    assert (len(here._seen), len(here._keys), len(here._ended)) == (3, 3, 3)


async def test_a_session_is_of_one_way_of_authenticating() -> None:
    here, otherwise = sessions(), a_user("1", way="oauth")
    for caller, other in ((ONE, otherwise), (otherwise, ONE)):
        text, session = here.new("gateway", caller, "2025-11-25", 0)
        assert await here.open(text, "gateway", other) is None
        assert await here.open(text, "gateway", caller) == session
        assert here.known(text, "gateway", other) is None
        assert here.known(text, "gateway", caller) is not None


async def test_a_session_does_not_depend_on_which_token_its_caller_has() -> None:
    text, session = sessions().new("gateway", ONE, "2025-11-25", 0)
    assert ONE.principal is not None
    assert await sessions().open(text, "gateway", caller_of(ONE.principal, "another digest")) == session


async def test_sessions_go_on_between_workers_of_the_version_before_and_this_one() -> None:
    """It sealed them with `token` for the only way there was."""
    before, inside = Sealer(RING, "session"), [b"j" * 16, "2025-11-25", 3, int(time.time())]
    sealed = before.seal(msgspec.msgpack.encode(inside), "gateway", "user:1", "token")
    text = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    session = await sessions().open(text, "gateway", ONE)
    assert session is not None
    assert (session.jti, session.capabilities) == ((b"j" * 16).hex(), 3)

    ours, made = sessions().new("gateway", ONE, "2025-11-25", 0)
    opened = before.open(base64.urlsafe_b64decode(ours + "=" * (-len(ours) % 4)), "gateway", "user:1", "token")
    assert msgspec.msgpack.decode(opened)[0].hex() == made.jti
