from __future__ import annotations

import time

import pytest

from control.store import lease_waits
from control.store.lease_waits import left_of, once_free, stored_at_last
from control.store.pool import StoreUnavailable


class Held:
    """Somebody else has it."""


async def test_what_somebody_else_has_is_asked_for_until_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_waits, "_POLLS", (0.001,))
    answers: list[object] = [Held(), Held(), "mine"]

    async def take() -> object:
        return answers.pop(0)

    assert await once_free(take, Held, lambda: 0.5) == "mine"
    assert answers == []


async def test_nobody_waits_longer_for_a_lease_than_one_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_waits, "_POLLS", (0.001,))
    monkeypatch.setattr(lease_waits, "HELD_S", 0.003)

    async def take() -> object:
        return Held()

    assert isinstance(await once_free(take, Held, lambda: 0.5), Held)


async def test_what_was_given_is_stored_when_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_waits, "_STORE_AGAIN_S", 0.001)
    tried = 0

    async def store() -> str:
        nonlocal tried
        tried += 1
        if tried < 3:
            raise StoreUnavailable("away")
        return "stored"

    assert await stored_at_last(store) == "stored"
    assert tried == 3


async def test_a_database_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_waits, "_STORE_AGAIN_S", 0.001)
    monkeypatch.setattr(lease_waits, "STORED_WITHIN_S", 0.003)

    async def store() -> str:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await stored_at_last(store)


def test_the_end_of_a_lease_is_kept_free_for_writing() -> None:
    assert left_of(time.monotonic() + 1.0) < 0
