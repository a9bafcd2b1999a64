"""`/revocations`: each ends what it names, proxies are told, and the answer says who has applied it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from control.admin.revocations import summary_of
from control.changes.write import changing
from control.publish.acknowledgements import NOBODY_ASKED, Acknowledged
from control.sign_in.session import begin
from control.store.pool import Pool, transaction
from core.acknowledgements import Acknowledgement
from core.identifiers import new_id
from tests.control import seeded
from tests.control.registry_api import Api, api
from tests.control.test_oauth_clients_api import WEB, allowed
from tests.unit.control.changes.acting import new_provider

__all__ = ["api"]
JTI = "ab" * 16
KINDS = ["tokens", "clients", "grants", "users", "sessions", "client-sessions", "providers"]
WORKER = Acknowledgement("1-a", "proxy-7f9c", 4711, "epoch", 7, 1_790_000_000.0)


@dataclass
class World:
    """One of each that can be ended: its identifier, and what proxies must hear."""

    ids: dict[str, str]
    announced: dict[str, tuple[str, str]]


@pytest.fixture
async def world(api: Api, pool: Pool) -> World:
    ann = await api.post("/users", {"name": "Ann", "email": "ann@example.com"})
    token = await api.post("/tokens", {"name": "t", "user_id": ann["id"]})
    client = await api.post("/oauth-clients", WEB)
    gateway = await api.gateway(slug="work")
    grant = await allowed(pool, client["id"], ann["id"], gateway["id"])
    async with changing(pool, seeded.SEEDER) as write:
        provider = await new_provider(write, "corp", "https://corp.example")
    async with transaction(pool) as connection:
        _, session = await begin(connection, ann["id"], method="link", address="", agent="")
        digest = await connection.fetchval("select digest from tokens where id = $1", token["id"])
    await pool.execute("delete from outbox")
    ids = {
        "tokens": token["id"], "clients": client["id"], "grants": grant, "users": ann["id"], "sessions": session.id,
        "client-sessions": JTI, "providers": provider.id,
    }  # fmt: skip
    announced = {
        "tokens": ("token", digest), "clients": ("client", client["client_id"]), "grants": ("grant", grant),
        "users": ("user", ann["id"]), "client-sessions": ("session", JTI),
        "providers": ("provider", provider.issuer),
    }  # fmt: skip
    return World(ids, announced)


async def is_over(api: Api, kind: str, name: str) -> bool:
    """As the object's own operation shows it."""
    paths = {"clients": "oauth-clients", "providers": "identity-providers"}
    if kind == "client-sessions":
        return True  # control has none of these
    answer = await api.admin.get(f"/{paths.get(kind, kind)}/{name}")
    if kind == "sessions":
        return answer.status == 404
    found = answer.json
    return bool(found.get("disabled_at") or found.get("state") in {"revoked", "ended"} or not found.get("enabled", 1))


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_revoked_is_over_and_every_proxy_hears_of_it(
    api: Api, world: World, pool: Pool, kind: str
) -> None:
    name = world.ids[kind]
    told = await api.post(f"/revocations/{kind}/{name}", expect=200)
    assert (told["id"], told["applied"], told["silent"]) == (name, 0, [])
    assert await is_over(api, kind, name)
    rows = [(row["kind"], row["name"]) for row in await pool.fetch("select kind, name from outbox")]
    # No proxy holds a browser session.
    assert rows == ([world.announced[kind]] if kind in world.announced else [])
    assert told["announced"] is (kind == "sessions")


@pytest.mark.parametrize("kind", KINDS)
async def test_who_may_not_end_it_is_refused_and_nothing_ends(api: Api, world: World, kind: str) -> None:
    cal = await api.user("Cal")
    answer = await cal.post(f"/revocations/{kind}/{world.ids[kind]}")
    assert answer.status in {403, 404}
    if kind != "client-sessions":
        assert not await is_over(api, kind, world.ids[kind])


@pytest.mark.parametrize("kind", [one for one in KINDS if one not in {"client-sessions", "sessions"}])
async def test_twice_is_no_error(api: Api, world: World, kind: str) -> None:
    for _ in range(2):
        await api.post(f"/revocations/{kind}/{world.ids[kind]}", expect=200)


@pytest.mark.parametrize("kind", [one for one in KINDS if one != "client-sessions"])
async def test_what_there_is_not_is_not_found(api: Api, kind: str) -> None:
    await api.post(f"/revocations/{kind}/{new_id()}", expect=404)


@pytest.mark.parametrize("wait", ["-1", "21", "long", "nan"])
async def test_the_wait_has_bounds(api: Api, world: World, wait: str) -> None:
    answer = await api.admin.post(f"/revocations/tokens/{world.ids['tokens']}?wait={wait}")
    assert answer.status == 422
    assert not await is_over(api, "tokens", world.ids["tokens"])


@pytest.mark.parametrize("session", ["AB" * 16, "ab" * 15, "ab" * 17, "zz" * 16])
async def test_a_clients_session_is_named_as_records_name_it(api: Api, session: str) -> None:
    assert (await api.admin.post(f"/revocations/client-sessions/{session}")).status in {404, 422}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (NOBODY_ASKED, "Nobody could be told within 5 s: Redis is away"),
        (Acknowledged(True), "no worker of a proxy has spoken"),
        (Acknowledged(True, 4), "Applied by all workers of proxies that run: 4."),
        (Acknowledged(True, 3, (WORKER,)), "Applied by 3 of 4 workers within 5 s. No word from process 4711 on"),
        (Acknowledged(True, 0, (WORKER,) * 7), "and 2 more:"),
    ],
)  # fmt: skip
def test_the_answer_says_plainly_who_has_applied_it(found: Any, said: str) -> None:
    assert said in summary_of(found, 5.0)
