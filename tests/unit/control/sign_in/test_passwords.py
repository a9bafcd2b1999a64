"""Hashing and comparing passwords."""

from __future__ import annotations

import asyncio
import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from control.sign_in import passwords
from control.sign_in.passwords import AT_ONCE, WAITING, Busy, Compared, Passwords

WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD = "correct horse battery"


async def test_a_password_is_right_against_its_own_hash_alone() -> None:
    hashing = Passwords(WEAK)
    kept = await hashing.hashed(GOOD)
    assert await hashing.compare(kept, GOOD) == Compared(right=True)
    assert not (await hashing.compare(kept, GOOD + "!")).right
    assert not (await hashing.compare(kept, "")).right
    assert GOOD not in kept


async def test_the_same_password_is_never_hashed_alike() -> None:
    hashing = Passwords(WEAK)
    assert await hashing.hashed(GOOD) != await hashing.hashed(GOOD)


async def test_an_accent_may_be_typed_in_either_form() -> None:
    hashing = Passwords(WEAK)
    assert (await hashing.compare(await hashing.hashed("cafe\u0301 au lait"), "caf\u00e9 au lait")).right


async def test_one_that_was_hashed_more_weakly_is_right_and_outdated() -> None:
    kept = await Passwords(WEAK).hashed(GOOD)
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert await stronger.compare(kept, GOOD) == Compared(right=True, outdated=True)


@pytest.mark.parametrize("kept", ["not a hash", "$argon2id$v=19$m=8,t=1,p=1$AAAA", ""])
async def test_a_hash_that_is_none_is_nobodys(kept: str) -> None:
    assert not (await Passwords(WEAK).compare(kept, GOOD)).right


async def test_for_an_unknown_name_as_much_is_computed_as_for_a_wrong_password(monkeypatch) -> None:
    """What takes the time is the hash; its parameters say how much."""
    verified: list[object] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            verified.append(extract_parameters(str(hash)))
            return super().verify(hash, password)  # type: ignore[return-value]

    hashing = Passwords(Watched(time_cost=1, memory_cost=8, parallelism=1))
    kept = await hashing.hashed(GOOD)
    assert not (await hashing.compare(None, GOOD)).right
    assert not (await hashing.compare(kept, "wrong")).right
    assert verified[0] == verified[1]


def test_a_hash_costs_what_the_rfc_says_at_least() -> None:
    usual = Passwords()._hasher
    assert (usual.memory_cost, usual.time_cost, usual.type.name) >= (65_536, 3, "ID")


async def test_a_flood_of_strangers_is_told_to_come_again_and_leaves_known_browsers_their_place() -> None:
    go_on = threading.Event()

    class Slow(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            if password == "wait":
                go_on.wait(60)
            return super().verify(hash, password)  # type: ignore[return-value]

    hashing = Passwords(Slow(time_cost=1, memory_cost=8, parallelism=1))
    kept = await hashing.hashed(GOOD)
    flood = [asyncio.ensure_future(hashing.compare(kept, "wait")) for _ in range(AT_ONCE + WAITING)]  # noqa: TID251
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await hashing.compare(kept, GOOD)
    assert (await hashing.compare(kept, GOOD, known=True)).right
    go_on.set()
    assert not any(one.right for one in await asyncio.gather(*flood))
    for _ in range(100):  # places are given back in the loop's next rounds
        await asyncio.sleep(0.01)
        if hashing._strangers._taken == 0:
            break
    assert (await hashing.compare(kept, GOOD)).right


async def test_whoever_gives_up_waiting_gives_the_place_back_when_it_is_done() -> None:
    hashing = Passwords(WEAK)
    waiting = asyncio.ensure_future(hashing.hashed(GOOD))  # noqa: TID251
    await asyncio.sleep(0)
    waiting.cancel()
    for _ in range(500):
        await asyncio.sleep(0.01)
        if hashing._known._taken == 0:
            return
    raise AssertionError("the place is still taken")


def test_the_number_of_threads_bounds_the_memory_of_a_flood() -> None:
    assert (passwords.AT_ONCE + 1) * 64 <= 256  # MiB
