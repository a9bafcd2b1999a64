"""`/sign-ins`: who sees which attempts, and how the list is narrowed."""

from __future__ import annotations

from typing import Any

from control.records.sign_in_notes import SignInNotes
from control.registry.sign_in_attempt import NewAttempt
from control.store.pool import Pool
from core.identifiers import new_id
from tests.control.registry_api import Api, api

__all__ = ["api"]


async def tried(pool: Pool, user_id: str) -> None:
    notes = SignInNotes(pool)
    failed = {"reason": "Access was taken back.", "asked": "resource x", "cure": "Sign in again."}
    await notes.note(NewAttempt(step="challenge", gateway="desk", client="curl/8", address="192.0.2.1"))
    await notes.note(NewAttempt(step="token", client="Claude", gateway="desk", user_id=user_id, **failed))
    await notes.note(NewAttempt(step="first_call", client="Claude", gateway="other", user_id=user_id))


def steps(page: Any) -> list[str]:
    return [one["step"] for one in page["items"]]


async def test_whoever_may_read_all_sees_all_and_a_person_their_own(api: Api, pool: Pool) -> None:
    bea, carl = await api.user("Bea"), await api.user("Carl")
    bea_id = (await api.get("/me", as_=bea))["user"]["id"]
    await tried(pool, bea_id)

    assert steps(await api.get("/sign-ins")) == ["first_call", "token", "challenge"]
    assert steps(await api.get("/sign-ins", as_=bea)) == ["first_call", "token"]
    assert steps(await api.get("/sign-ins", as_=carl)) == []
    await api.get(f"/sign-ins?user_id={bea_id}", as_=carl, expect=404)


async def test_what_failed_says_why_what_was_asked_and_what_helps(api: Api, pool: Pool) -> None:
    bea_id = (await api.get("/me", as_=await api.user("Bea")))["user"]["id"]
    await tried(pool, bea_id)
    (failed,) = (await api.get("/sign-ins?outcome=failed"))["items"]
    assert {name: failed[name] for name in ("step", "outcome", "client", "gateway", "user_name", "times")} == {
        "step": "token", "outcome": "failed", "client": "Claude", "gateway": "desk", "user_name": "Bea", "times": 1,
    }  # fmt: skip
    assert (failed["reason"], failed["asked"], failed["cure"]) == (
        "Access was taken back.", "resource x", "Sign in again.",
    )  # fmt: skip


async def test_the_list_is_narrowed_and_goes_on_from_page_to_page(api: Api, pool: Pool) -> None:
    bea_id = (await api.get("/me", as_=await api.user("Bea")))["user"]["id"]
    await tried(pool, bea_id)
    assert steps(await api.get("/sign-ins?outcome=ok&client=cLAU")) == ["first_call"]
    assert steps(await api.get("/sign-ins?gateway=desk")) == ["token", "challenge"]
    assert steps(await api.get(f"/sign-ins?user_id={new_id()}")) == []
    first = await api.get("/sign-ins?limit=2")
    assert steps(await api.get(f"/sign-ins?limit=2&cursor={first['next']}")) == ["challenge"]
    await api.get("/sign-ins?step=dance", expect=422)
