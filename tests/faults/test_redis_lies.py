"""Redis gives back something else than what was put there: garbage, or what belongs to somebody else.

DESIGN 3: "Nothing read from Redis or disk is believed without its signature or seal, with kind, name, owner and
revision bound in." Six people, each with a credential of their own at a server that tells which one it was given.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio
from hypothesis import strategies as st
from redis import Redis

from core.redis_names import CHANGES, CHANGES_HEAD, INDEX, PREFIX, snapshot_key
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.faults.exploring import explore
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import Person, System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOFT_AGE_S = 0.4
ROUNDS = 10


@dataclass
class Bank:
    """A system with a server that tells each caller their own credential."""

    system: System
    credentials: dict[Person, str]

    async def told(self, person: Person) -> str:
        """The credential that the server was given for this person, or how the call ended."""
        outcome = await self.system.ask(
            "tools/call", {"name": "whoami", "arguments": {}}, token=person.token, gateway="bank"
        )
        return outcome.result["content"][0]["text"] if outcome.status == "ok" else outcome.status

    async def everybody_is_themselves(self) -> None:
        told = await asyncio.gather(*(self.told(person) for person in self.credentials))
        assert dict(zip(self.credentials, told, strict=True)) == self.credentials

    async def everything_is_asked_again(self) -> None:
        """Everybody calls past a soft age: what is in Redis is looked at."""
        for _ in range(3):
            await self.everybody_is_themselves()
            await asyncio.sleep(SOFT_AGE_S / 2)
        await self.everybody_is_themselves()

    @contextmanager
    def redis(self) -> Iterator[Redis]:
        with self.system.redis.client() as client:
            yield client

    def sealed(self) -> list[bytes]:
        """Names of the verdicts and connections that lie in Redis."""
        with self.redis() as client:
            return sorted([*client.keys(PREFIX + "verdict:*"), *client.keys(PREFIX + "connection:*")])

    def gateways(self) -> list[bytes]:
        with self.redis() as client:
            return sorted(client.keys(snapshot_key("*")))

    async def news_still_arrive(self) -> None:
        """A revocation is heard of."""
        victim = await self.system.add_person(f"victim-{random.randrange(1 << 30)}")
        assert (await self.system.call(victim)).status == "ok"
        await self.system.revoke(victim)

        async def is_refused() -> bool:
            return (await self.system.call(victim)).status == "http 401"

        await eventually(is_refused, 60, "the revoked token is refused")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bank]:
    folder = tmp_path_factory.mktemp("system")

    def whoami(received: Received) -> Answer:
        return Answer(text=received.headers["Authorization"])

    async with (
        McpUpstream(era="modern") as upstream,
        running_system(folder, postgres, people=6, soft_age=SOFT_AGE_S) as system,
    ):
        upstream.tool("whoami", whoami)
        upstream.drop_tool("echo")
        entry = await system.admin.made(
            "/entries",
            {
                "slug": "bank", "name": "Bank", "url": upstream.url, "credential_model": "static",
                "credential_placement": {"style": "bearer"},
            },
        )  # fmt: skip
        credentials = {person: f"Bearer credential-{number}" for number, person in enumerate(system.people)}
        for person, credential in credentials.items():
            body = {"entry_id": entry["id"], "scope": "personal", "credential": credential.removeprefix("Bearer ")}
            of_person = {"name": "their own hands", "use": "api", "user_id": person.id}
            api_token = (await system.admin.made("/tokens", of_person))["secret"]
            made = await system.admin.bearing(api_token).made("/installations", body)
            assert made["state"] == "ready", made
        gateway = await system.admin.made("/gateways", {"slug": "bank", "name": "Bank"})
        wanted = {"entry": "bank", "tools": ["whoami"], "prefix": False}
        assert (await system.admin.post(f"/gateways/{gateway['id']}/assignments", wanted)).status == 201
        made = Bank(system, credentials)

        async def is_served() -> bool:
            return await made.told(system.people[0]) == credentials[system.people[0]]

        await eventually(is_served, 60, "the gateway is published")
        assert (await system.call(system.people[0])).status == "ok"
        yield made


@pytest.mark.parametrize("case", [pytest.param("", id="F-3: another tenant's value")])
async def test_another_tenants_value_is_a_miss_and_an_alarm(bank: Bank, case: str) -> None:
    """ "with kind, name, owner ... bound in": values are exchanged between keys that hypothesis picks, within a kind
    and across kinds, and everybody goes on as themselves with their own credential."""
    await bank.everything_is_asked_again()
    names = bank.sealed()
    assert len(names) >= 2 * len(bank.credentials)
    pairs = st.lists(
        st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1]),
        min_size=len(names) // 2, max_size=len(names),
    )  # fmt: skip

    async def exchange(chosen: list[tuple[bytes, bytes]]) -> None:
        with bank.redis() as client:
            for one, other in chosen:
                values = client.mget(one, other)
                for name, value in ((one, values[1]), (other, values[0])):
                    if value is not None:
                        client.set(name, value, ex=60)
        await bank.everything_is_asked_again()

    await explore(pairs, exchange, most=ROUNDS)
    assert "a kept value was not ours" in bank.system.proxies[0].log


async def test_another_gateways_snapshot_under_a_gateways_name_is_not_served(bank: Bank) -> None:
    """ "with kind, name ... bound in": a worker that starts reads exchanged snapshots, refuses them, and has the
    right ones from control."""
    one, other = bank.gateways()
    with bank.redis() as client:
        documents = [client.hget(name, "document") for name in (one, other)]
        client.hset(one, "document", documents[1])
        client.hset(other, "document", documents[0])
    await bank.system.restart(bank.system.proxies[0])
    await bank.everybody_is_themselves()
    assert (await bank.system.call(bank.system.people[0])).status == "ok"
    assert "a snapshot was rejected" in bank.system.proxies[0].log


@pytest.mark.parametrize("case", [pytest.param("", id="F-3: garbage")])
async def test_garbage_under_every_name_costs_no_call_and_news_arrive_again(bank: Bank, case: str) -> None:
    """ "Nothing read from Redis ... is believed": bytes of any kind and values of wrong types, under the names of
    verdicts, connections, snapshots, index, head and stream. Afterwards revocations are heard of as before."""
    await bank.everything_is_asked_again()

    async def scatter(garbage: bytes) -> None:
        with bank.redis() as client:
            for number, name in enumerate(bank.sealed()):
                client.delete(name)
                _ = client.set(name, garbage) if number % 3 else client.rpush(name, garbage)
            for name in (*bank.gateways(), INDEX):
                client.hset(name, "document", garbage)
            client.hset(CHANGES_HEAD, "number", garbage)
        await bank.everything_is_asked_again()

    await explore(st.binary(min_size=1, max_size=200), scatter, most=ROUNDS // 2)
    with bank.redis() as client:
        for name in (CHANGES, CHANGES_HEAD, INDEX, *bank.gateways()):
            client.set(name, b"not a stream, not a hash")
    await bank.everything_is_asked_again()
    await bank.news_still_arrive()
