"""What a proxy asks again about many at once: its memory over a real control, a real Postgres and a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from control.store.pool import Pool, transaction
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.resolve import CallerQuestion, CallerVerdict, InstallationQuestion, TokenProof
from core.tasks import Tasks
from proxy.caches.two_ages import SourceUnreachable, TwoAgeCache
from proxy.redis import Redis
from proxy.refusals import Refusal
from proxy.resolve.caller_verdicts import Authority
from proxy.resolve.control_client import ControlClient
from proxy.resolve.installations import Installations
from tests.control import seeded
from tests.control.asking_proxy import CALLS, RING, AskingProxy
from tests.fixtures_redis import RedisServer
from tests.plugins.moved_clock import MovedClock

SOFT, OLD_ENOUGH = 60.0, 40.0


@dataclass
class Memory:
    """What one worker remembers, and its way to control."""

    control: ControlClient
    authority: Authority
    installations: Installations

    async def refreshed(self, digests: list[str]) -> None:
        """Use all of them at one moment, and wait until what that began is over."""
        for digest in digests:
            _ = self.authority.known(TokenProof(digest))
        await over(self.authority.verdicts.memory)


async def over(memory: TwoAgeCache[Any]) -> None:
    """Wait until what is being asked just now has been answered."""
    if running := [*memory._asking._running.values()]:
        _, late = await asyncio.wait(running, timeout=30)
        assert not late


Make = Callable[[], Awaitable[Memory]]


@pytest.fixture
async def make(proxy: AskingProxy, redis_server: RedisServer) -> AsyncIterator[Make]:
    async with AsyncExitStack() as ending:

        async def made() -> Memory:
            tasks, redis = Tasks("test", quiet=(Refusal, SourceUnreachable)), Redis(redis_server.url)
            egress = await ending.enter_async_context(Egress(AddressPolicy(parse_networks("127.0.0.0/8"))))
            ending.push_async_callback(redis.close)
            ending.push_async_callback(tasks.close)
            control = ControlClient(egress, (proxy.url,), CALLS)
            authority = Authority(control, redis, RING, soft=SOFT, hard=3600, unknown_per_second=1000, tasks=tasks)
            return Memory(control, authority, Installations(control, redis, RING, soft=SOFT, hard=3600, tasks=tasks))

        yield made


async def tokens_for(pool: Pool, *names: str) -> dict[str, str]:
    async with transaction(pool) as conn:
        return {name: await seeded.token(conn, user=await seeded.user(conn, name)) for name in names}


async def held(memory: Memory, digests: dict[str, str]) -> dict[str, CallerVerdict]:
    return {name: await memory.authority.verdict(TokenProof(digest), "192.0.2.1") for name, digest in digests.items()}


NAMES = ("ann", "bob", "revoked", "expired", "disabled", "deleted", "in another team")


async def change_them(pool: Pool, digests: dict[str, str]) -> None:
    """What became of them, without a word to the proxy."""
    async with transaction(pool) as conn:
        await conn.execute("update tokens set revoked_at = now() where digest = $1", digests["revoked"])
        past = "update tokens set expires_at = now() - interval '1 s' where digest = $1"
        await conn.execute(past, digests["expired"])
        await conn.execute("update users set disabled_at = now() where name = 'disabled'")
        await conn.execute("delete from tokens where digest = $1", digests["deleted"])
        moved = await conn.fetchval("select id from users where name = 'in another team'")
        await seeded.team(conn, "ops", moved)


async def test_a_list_ends_and_renews_what_questions_one_by_one_would(
    make: Make, pool: Pool, redis_server: RedisServer, clock: MovedClock
) -> None:
    digests = await tokens_for(pool, *NAMES)
    async with transaction(pool) as conn:
        digests["for the API"] = await seeded.token(conn, user=await seeded.user(conn, "admin"), use="api")
    together, alone = await make(), await make()
    before = await held(together, digests)
    await held(alone, digests)
    await change_them(pool, digests)
    clock.pass_by(OLD_ENOUGH)
    with redis_server.client() as client:
        client.flushall()
    await together.refreshed(list(digests.values()))
    assert (together.authority.refreshes.questions, together.authority.verdicts.memory.refreshes) == (1, 8)
    with redis_server.client() as client:
        assert len(client.keys("*")) == 4, "copies of what still holds"
        client.flushall()
    for digest in digests.values():
        await alone.refreshed([digest])
    assert alone.authority.refreshes.questions == 8
    for memory in (together, alone):
        after = {name: memory.authority.known(TokenProof(digest)) for name, digest in digests.items()}
        assert {name for name, verdict in after.items() if verdict is None} == {
            "revoked",
            "expired",
            "disabled",
            "deleted",
        }
        assert all(
            memory.authority.refused_lately(digests[name]) == (verdict is None) for name, verdict in after.items()
        )
        same = {name for name, verdict in after.items() if verdict == before[name]}
        assert same == {"ann", "bob", "for the API"}
        moved = after["in another team"]
        assert moved is not None
        assert moved.principal is not None
        assert len(moved.principal.teams) == 1


async def test_what_another_worker_refreshed_is_read_in_one_question_to_redis_and_none_to_control(
    make: Make, pool: Pool, redis_server: RedisServer, clock: MovedClock
) -> None:
    digests = await tokens_for(pool, *(f"person {number}" for number in range(120)))
    first, second = await make(), await make()
    for memory in (first, second):
        await held(memory, digests)
    clock.pass_by(OLD_ENOUGH)
    with redis_server.client() as client:
        client.flushall()
    await first.refreshed(list(digests.values()))
    assert first.authority.refreshes.questions == 2
    with redis_server.client() as client:
        asked = client.info("commandstats")
        await second.refreshed(list(digests.values()))
        after = client.info("commandstats")
    assert second.authority.refreshes.questions == 0
    assert after["cmdstat_mget"]["calls"] - asked["cmdstat_mget"]["calls"] == 2
    assert all(second.authority.verdicts.memory.young(digest) for digest in digests.values())


@pytest.mark.parametrize("news", ["of the token", "of the user"])
async def test_a_revocation_while_a_list_is_on_its_way_is_not_undone_by_its_answer(
    make: Make, pool: Pool, redis_server: RedisServer, clock: MovedClock, news: str
) -> None:
    digests = await tokens_for(pool, "ann", "bob")
    memory = await make()
    verdicts = await held(memory, digests)
    asked, answered, arrives = memory.control.callers, asyncio.Event(), asyncio.Event()

    async def slowly(questions: list[CallerQuestion]) -> dict[CallerQuestion, CallerVerdict]:
        answer = await asked(questions)
        answered.set()
        await arrives.wait()
        return answer

    memory.authority.refreshes._many = slowly
    clock.pass_by(OLD_ENOUGH)
    with redis_server.client() as client:
        client.flushall()
    assert all(memory.authority.known(TokenProof(digest)) for digest in digests.values())
    running = [*memory.authority.verdicts.memory._asking._running.values()]
    await asyncio.wait_for(answered.wait(), 30)
    await pool.execute("update tokens set revoked_at = now() where digest = $1", digests["ann"])
    if news == "of the token":
        await memory.authority.forget(digests["ann"])
    else:
        bearer = verdicts["ann"].principal
        assert bearer is not None
        await memory.authority.forget_principal("user", bearer.id)
    arrives.set()
    _, late = await asyncio.wait(running, timeout=30)
    assert not late
    assert memory.authority.known(TokenProof(digests["ann"])) is None
    with redis_server.client() as client:
        assert not [key for key in client.keys("*") if digests["ann"].encode() in key]
    with pytest.raises(Refusal, match="not_authenticated"):
        await memory.authority.verdict(TokenProof(digests["ann"]), "192.0.2.1")
    assert memory.authority.known(TokenProof(digests["bob"])) is not None


async def test_installations_of_many_callers_are_refreshed_in_one_question_and_stay_their_own(
    make: Make, pool: Pool, redis_server: RedisServer, clock: MovedClock
) -> None:
    digests = await tokens_for(pool, "ann", "bob", "without one", "revoked")
    async with transaction(pool) as conn:
        people = {row["name"]: row["id"] for row in await conn.fetch("select name, id from users")}
        entry = await seeded.entry(conn)
        owned = {name: await seeded.installation(conn, entry, user=people[name]) for name in digests}
        gateway = await seeded.gateway(conn)
        assigned = await seeded.assignment(conn, gateway, await seeded.tool(conn, entry))
    memory = await make()
    made = memory.installations
    asked = {
        name: (made.key(gateway, assigned, f"user:{people[name]}"), InstallationQuestion(digest, gateway, assigned))
        for name, digest in digests.items()
    }
    for key, question in asked.values():
        await made.resolve(key, question)
    async with transaction(pool) as conn:
        await conn.execute("delete from installations where id = $1", owned["without one"])
        await conn.execute("update tokens set revoked_at = now() where digest = $1", digests["revoked"])
        await conn.execute("update entries set version = version + 1")
    clock.pass_by(OLD_ENOUGH)
    with redis_server.client() as client:
        client.flushall()
    for key, question in asked.values():
        assert made.known(key, question) is not None
    await over(made.resolved.memory)
    assert made.refreshes.questions == 1
    after = {name: made.young(key) for name, (key, _) in asked.items()}
    assert {name: one and one.installation_id for name, one in after.items()} == {
        "ann": owned["ann"],
        "bob": owned["bob"],
        "without one": None,
        "revoked": None,
    }
    assert {one.version for one in after.values() if one is not None} == {2}
