"""Steps of signing in that proxies tell, as they are noted."""

from __future__ import annotations

from control.changes.write import changing
from control.internal.told_steps import StepsAtProxies, attempt_of
from control.records.sign_in_notes import SignInNotes
from control.store import sign_in_attempts
from control.store.pool import Pool, transaction
from core.identifiers import new_id
from core.sign_in_steps import ToldStep, ToldSteps
from tests.fakes.registry import a_gateway
from tests.unit.control.changes.acting import ADMIN, new_gateway, new_user

URL = "https://mcp.example.com"


def test_a_challenge_of_a_gateway_went_well_and_one_of_none_did_not() -> None:
    step = ToldStep("challenge", "192.0.2.1", "desk", "claude-code/2.1")
    there, none = attempt_of(step, a_gateway(slug="desk"), URL), attempt_of(step, None, URL)
    assert (there.reason, there.gateway, there.client) == ("", "desk", "claude-code/2.1")
    assert none.reason == "There is no gateway of this name."


def test_who_was_refused_is_a_person_or_nobody_here() -> None:
    person = new_id()
    for principal, user_id in ((f"user:{person}", person), ("team:x", None), ("user:none", None), ("", None)):
        step = ToldStep("first_call", word="gateway_unknown", principal=principal)
        assert attempt_of(step, a_gateway(slug="desk"), URL).user_id == user_id


async def test_what_a_proxy_tells_is_kept_with_the_gateways_own_name(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, gateway = await new_user(write, "Ann"), await new_gateway(write, "desk")
        await write.connection.execute("insert into retired_slugs (slug, gateway_id) values ('old', $1)", gateway.id)
    told = [
        ToldStep("challenge", "192.0.2.1", "old", times=40),
        ToldStep("metadata", "192.0.2.1", gateway.id),
        ToldStep("challenge", "192.0.2.1", "wrok"),
        ToldStep("challenge", "192.0.2.1", "NO/slug"),
        ToldStep("first_call", "192.0.2.1", "desk", word="way_not_accepted", principal=f"user:{ann.id}"),
    ]
    taken = await StepsAtProxies(pool, SignInNotes(pool), URL).take(ToldSteps(told))
    async with transaction(pool) as connection:
        found = await sign_in_attempts.page(connection, limit=99)
    assert taken.taken == len(told)
    assert {(one.step, one.gateway, one.times, one.failed, one.user_name) for one in found} == {
        ("challenge", "desk", 40, False, ""),
        ("metadata", "desk", 1, False, ""),
        ("challenge", "wrok", 1, True, ""),
        ("challenge", "NO/slug", 1, True, ""),
        ("first_call", "desk", 1, True, ann.name),
    }
