"""The first call by what a person allowed a client is noted once, as it ended."""

from __future__ import annotations

import time
from typing import Any

from control.changes import oauth_clients
from control.changes.write import changing
from control.records.first_calls import FirstCalls
from control.records.sign_in_notes import SignInNotes
from control.registry.sign_in_attempt import Attempt
from control.store import sign_in_attempts
from control.store.pool import Pool, transaction
from core.identifiers import new_id
from core.records import Batch, CallRecord
from tests.fakes.call_records import as_row, line_of
from tests.unit.control.changes import acting


def a_call(grant_id: str, **fields: Any) -> CallRecord:
    usual = {"id": new_id(), "time": time.time(), "duration_ms": 1.5, "request_id": "r", "decision": "allowed"}
    usual |= {"status": "ok", "method": "tools/call", "auth": "oauth", "tool": "crm__find", "address": "192.0.2.1"}
    return CallRecord(**{**usual, "token_id": grant_id, **fields})


async def grants(pool: Pool, *names: str) -> list[str]:
    """Grants at the gateway `desk`, one for each client, of a person each."""
    async with changing(pool, acting.ADMIN) as write:
        gateway, made = await acting.new_gateway(write, "desk"), []
        for name in names:
            user = await acting.new_user(write, f"{name}'s")
            client, _ = await oauth_clients.create(write, acting.a_client(name=name))
            made.append((await acting.new_grant(write, client, user.id, gateway.id)).id)
        return made


async def kept(pool: Pool) -> list[Attempt]:
    async with transaction(pool) as connection:
        return await sign_in_attempts.page(connection, limit=99)


async def test_of_all_calls_by_a_grant_the_first_is_noted_by_whichever_replica(pool: Pool) -> None:
    (grant,) = await grants(pool, "Claude")
    replicas = [FirstCalls(pool, SignInNotes(pool)) for _ in range(2)]
    for calls in (*replicas, *replicas):
        await calls.look([Batch("w", 1, 0, [a_call(grant), a_call(grant, status="upstream_slow")])])
    (found,) = await kept(pool)
    assert (found.step, found.client, found.gateway, found.user_name) == ("first_call", "Claude", "desk", "Claude's")
    assert (found.failed, found.times, found.address) == (False, 1, "192.0.2.1")


async def test_a_first_call_that_failed_says_why_and_where_more_stands(pool: Pool) -> None:
    failing, planned = await grants(pool, "Claude", "Cursor")
    refused = a_call(failing, status="needs_sign_in", reason="Connect your account first.")
    line = line_of(a_call(planned))
    batch = Batch(
        "w",
        1,
        0,
        [refused, as_row(0, a_call(planned, status="upstream_slow", arguments_sha256="00" * 32))],
        [line],
        2,
    )
    await FirstCalls(pool, SignInNotes(pool)).look([batch])
    found = {one.client: one for one in await kept(pool)}
    assert (found["Claude"].reason, found["Claude"].asked) == ("Connect your account first.", "tool crm__find")
    assert found["Claude"].cure.endswith("archway records list --status needs_sign_in")
    assert found["Cursor"].reason == "The call ended with upstream_slow."


async def test_other_ways_of_authenticating_and_refusals_before_a_call_are_no_first_calls(pool: Pool) -> None:
    (grant,) = await grants(pool, "Claude")
    at_the_door = a_call(grant, tool="", method="", decision="refused")
    others = [a_call(grant, auth="token"), at_the_door, a_call("no identifier"), a_call(new_id())]
    await FirstCalls(pool, SignInNotes(pool)).look([Batch("w", 1, 0, list(others))])
    assert await kept(pool) == []
