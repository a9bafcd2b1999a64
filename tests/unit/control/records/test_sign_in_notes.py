"""Notes of what happened at the door: cut, bounded, and in nobody's way."""

from __future__ import annotations

import pytest

from control.records import sign_in_notes
from control.records.sign_in_notes import A_SECOND, OF_ONE_A_SECOND, SignInNotes
from control.registry.sign_in_attempt import Attempt, NewAttempt
from control.store import sign_in_attempts
from control.store.pool import Pool, transaction
from core.identifiers import new_id


class Clock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(sign_in_notes, "time", made)
    return made


async def kept(pool: Pool) -> list[Attempt]:
    async with transaction(pool) as connection:
        return await sign_in_attempts.page(connection, limit=999)


async def test_what_strangers_sent_is_cut_and_printable(pool: Pool) -> None:
    await SignInNotes(pool).note(
        NewAttempt(step="metadata", client="\x1b[31m\n" + "x" * 5_000, gateway="a\udcffb", asked="\u202e!")
    )
    (found,) = await kept(pool)
    assert found.client.startswith("?[31m?xxx")
    assert (len(found.client), found.gateway, found.asked) == (512, "a?b", "?!")


async def test_one_network_writes_so_many_a_second_and_all_of_them_so_many_more(pool: Pool, clock: Clock) -> None:
    notes = SignInNotes(pool)
    for number in range(OF_ONE_A_SECOND * 2):
        await notes.note(NewAttempt(step="registered", client=f"{number}", address="192.0.2.1"))
    assert len(await kept(pool)) == OF_ONE_A_SECOND
    await notes.note_all(
        [(NewAttempt(step="registered", address=f"198.51.100.{at}"), 1) for at in range(A_SECOND * 2)]
    )
    assert len(await kept(pool)) == A_SECOND
    clock.now += 1
    await notes.note(NewAttempt(step="registered", client="later", address="192.0.2.1"))
    assert (await kept(pool))[0].client == "later"


async def test_a_note_about_somebody_who_is_gone_is_not_missed(pool: Pool) -> None:
    await SignInNotes(pool).note(NewAttempt(step="signed_in", user_id=new_id()))
    assert await kept(pool) == []
