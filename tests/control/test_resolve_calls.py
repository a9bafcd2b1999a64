"""Resolve calls over HTTP, as a proxy makes them, against a real Postgres and Redis."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from types import SimpleNamespace

import jwt
import msgspec
import orjson
import pytest

from control.changes import gateways
from control.changes.write import changing
from control.internal import listener
from control.publish.epochs import ChangeStream
from control.publish.publisher import Publisher
from control.redis import Redis
from control.registry.row_seals import SECRET_VALUES_PURPOSE
from control.store.pool import Pool, transaction
from core import internal_call
from core.clocks import seconds_ahead
from core.gateway_answers import GatewayAnswer, GatewayQuestion, IndexAnswer
from core.identifiers import new_id
from core.internal_call import SCHEME, InternalCalls
from core.keys import new_key, parse_key_ring
from core.resolve import CallerQuestion, CallerVerdict, InstallationAnswer, InstallationQuestion
from core.sealing import SealBroken, Sealer
from core.snapshot import open_gateway, open_index
from tests.control import seeded
from tests.control.asking_proxy import CALLS, PAGES_URL, RING, SECRETS, SIGNER, VERIFIER, AskingProxy
from tests.fixtures_postgres import Server
from tests.fixtures_redis import RedisServer
from tests.plugins.moved_clock import MovedClock

A_BUSY_MACHINE_S = 10.0

PATHS = [
    "/internal/token",
    "/internal/connection",
    "/internal/gateway",
    "/internal/index",
    "/internal/tokens",
    "/internal/connections",
    "/internal/x",
    "/",
]


@pytest.mark.parametrize("ahead", [90, -120, 3600])
async def test_a_proxy_whose_clock_is_off_is_told_that_and_nobody_else_is(
    ahead: float, proxy: AskingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, now = msgspec.msgpack.encode(CallerQuestion("x")), time.time()
    stranger = InternalCalls(parse_key_ring("K", new_key()), caller="proxy", answerer="control")
    monkeypatch.setattr(internal_call, "time", SimpleNamespace(time=lambda: now + ahead))
    ours, theirs = (calls.mint("POST", "/internal/token", body)[0] for calls in (CALLS, stranger))
    monkeypatch.undo()
    for authorization, told in ((ours, "clock"), (theirs, None)):
        headers = {"Authorization": authorization}
        async with proxy.session.post(proxy.url + "/internal/token", data=body, headers=headers) as answer:
            assert (answer.status, await answer.read()) == (403, b"")
            assert answer.headers.get("Archway-Refused") == told
            assert abs(seconds_ahead(answer.headers, time.time()) or 0.0) < 30


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_token_nothing_is_said(path: str, proxy: AskingProxy) -> None:
    assert await proxy.post(path, b"", None) == (403, b"")
    assert await proxy.post(path, b"", "Bearer something", method="GET") == (403, b"")


async def test_a_token_for_another_body_path_or_direction_is_refused(proxy: AskingProxy) -> None:
    body = msgspec.msgpack.encode(CallerQuestion("0" * 64))
    authorization, _ = CALLS.mint("POST", "/internal/token", body)
    assert await proxy.post("/internal/token", body + b"x", authorization) == (403, b"")
    assert await proxy.post("/internal/connection", body, authorization) == (403, b"")
    other_way = InternalCalls(RING, caller="control", answerer="proxy")
    backwards, _ = other_way.mint("POST", "/internal/token", body)
    assert await proxy.post("/internal/token", body, backwards) == (403, b"")


@pytest.mark.parametrize("wrong", ["audience", "expired", "key", "unsigned"])
async def test_a_token_with_wrong_claims_is_refused(wrong: str, proxy: AskingProxy) -> None:
    body = msgspec.msgpack.encode(CallerQuestion("0" * 64))
    right, _ = CALLS.mint("POST", "/internal/token", body)
    claims = jwt.decode(right.removeprefix(f"{SCHEME} "), options={"verify_signature": False})
    key = RING.current.derive("internal/proxy-to-control")
    if wrong == "audience":
        claims["aud"] = "proxy"
    if wrong == "expired":
        claims |= {"iat": int(time.time()) - 200, "exp": int(time.time()) - 100}
    if wrong == "key":
        key = b"x" * 32
    algorithm = "none" if wrong == "unsigned" else "HS256"
    token = jwt.encode(claims, None if wrong == "unsigned" else key, algorithm=algorithm)
    assert await proxy.post("/internal/token", body, f"{SCHEME} {token}") == (403, b"")


async def test_the_claims_that_are_changed_above_are_accepted_unchanged(proxy: AskingProxy) -> None:
    verdict = await proxy.ask("/internal/token", CallerQuestion("0" * 64), CallerVerdict)
    assert verdict == CallerVerdict("0" * 64, refusal="unknown")


async def test_an_answer_opens_for_its_own_call_only(proxy: AskingProxy) -> None:
    body = msgspec.msgpack.encode(CallerQuestion("0" * 64))
    authorization, call_id = CALLS.mint("POST", "/internal/token", body)
    _, answer = await proxy.post("/internal/token", body, authorization)
    _, other_call = CALLS.mint("POST", "/internal/token", body)
    assert CALLS.open_answer(call_id, answer)
    with pytest.raises(SealBroken):
        CALLS.open_answer(other_call, answer)


async def test_a_proxy_s_nonsense_is_told_apart_from_an_answer(proxy: AskingProxy) -> None:
    for body in (b"", b"\xc1", msgspec.msgpack.encode({"digest": 7})):
        authorization, _ = CALLS.mint("POST", "/internal/token", body)
        assert await proxy.post("/internal/token", body, authorization) == (400, b"")


async def test_a_token_s_bearer_is_told_with_teams(proxy: AskingProxy, pool: Pool) -> None:
    async with transaction(pool) as conn:
        ann = await seeded.user(conn)
        team = await seeded.team(conn, "ops", ann)
        digest = await seeded.token(conn, user=ann)
    verdict: CallerVerdict = await proxy.ask("/internal/token", CallerQuestion(digest), CallerVerdict)
    assert verdict.principal is not None
    assert (verdict.principal.id, verdict.principal.teams) == (ann, frozenset({team}))


async def test_an_api_token_is_told_to_be_kept_out_and_gets_no_credential(proxy: AskingProxy, pool: Pool) -> None:
    async with transaction(pool) as conn:
        ann = await seeded.user(conn)
        digest = await seeded.token(conn, user=ann, use="api")
        entry_id = await seeded.entry(conn)
        installation = await seeded.installation(conn, entry_id)
        gateway_id = await seeded.gateway(conn)
        assignment = await seeded.assignment(
            conn, gateway_id, await seeded.tool(conn, entry_id), installation=installation
        )
    verdict: CallerVerdict = await proxy.ask("/internal/token", CallerQuestion(digest), CallerVerdict)
    assert (verdict.principal, verdict.refusal) == (None, "")
    assert verdict.kept_out is not None
    assert verdict.kept_out.id == ann
    question = InstallationQuestion(digest, gateway_id, assignment)
    answer: InstallationAnswer = await proxy.ask("/internal/connection", question, InstallationAnswer)
    assert answer.installation is None
    assert answer.refusal is not None
    assert answer.refusal.code == "not_allowed"


@pytest.mark.parametrize("name", ["nul\0", "x" * 5000, "", "'; drop table gateways"])
async def test_a_gateway_of_an_impossible_name_does_not_exist(name: str, proxy: AskingProxy) -> None:
    assert await proxy.ask("/internal/gateway", GatewayQuestion(name), GatewayAnswer) == GatewayAnswer()


async def test_a_gateway_is_given_signed_by_slug_and_by_identifier(proxy: AskingProxy, pool: Pool) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn, "work")
    for name in ("work", gateway_id):
        answer: GatewayAnswer = await proxy.ask("/internal/gateway", GatewayQuestion(name), GatewayAnswer)
        assert open_gateway(answer.document, gateway_id, VERIFIER).slug == "work"
    for name in ("play", new_id()):
        assert await proxy.ask("/internal/gateway", GatewayQuestion(name), GatewayAnswer) == GatewayAnswer()


async def test_a_gateway_is_found_by_a_slug_that_it_had_before_until_another_has_it(
    proxy: AskingProxy, pool: Pool
) -> None:
    async def found(name: str) -> str:
        answer: GatewayAnswer = await proxy.ask("/internal/gateway", GatewayQuestion(name), GatewayAnswer)
        return open_gateway(answer.document, answer.id, VERIFIER).slug if answer.document else ""

    async with transaction(pool) as conn:
        renamed = await seeded.gateway(conn, "work")
    for slug in ("office", "desk"):
        async with changing(pool, seeded.SEEDER) as write:
            await gateways.change(write, renamed, lambda now, slug=slug: replace(now, slug=slug))  # type: ignore[misc]  # mypy: no default of a lambda
    assert [await found(name) for name in ("work", "office", "desk", renamed)] == ["desk"] * 4

    async with transaction(pool) as conn:
        await seeded.gateway(conn, "work")
    assert await found("work") == "work"
    async with changing(pool, seeded.SEEDER) as write:
        await gateways.delete(write, renamed)
    assert (await found("office"), await found("work")) == ("", "work")


async def test_the_index_is_given_for_the_epoch_that_redis_shows(
    proxy: AskingProxy, pool: Pool, redis_server: RedisServer
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    answer: IndexAnswer = await proxy.ask("/internal/index", None, IndexAnswer)
    assert open_index(answer.document, VERIFIER).epoch == ""
    async with Redis(redis_server.url, deadline_s=2) as redis:
        publisher = Publisher(pool, redis, SIGNER)
        await publisher.publish()
        answer = await proxy.ask("/internal/index", None, IndexAnswer)
        index = open_index(answer.document, VERIFIER)
        assert index.epoch == await ChangeStream(redis, SIGNER).epoch() != ""
    assert [row.id for row in index.gateways] == [gateway_id]
    redis_server.freeze()
    try:
        answer = await proxy.ask("/internal/index", None, IndexAnswer)
    finally:
        redis_server.thaw()
    assert open_index(answer.document, VERIFIER).epoch == ""


@dataclass
class Scene:
    """A bearer, a gateway, a tool assigned to it, an entry with a bearer credential."""

    person: str
    digest: str
    gateway_id: str
    entry_id: str
    tool_id: str


@pytest.fixture
async def scene(pool: Pool) -> Scene:
    async with transaction(pool) as conn:
        person = await seeded.user(conn)
        entry_id = await seeded.entry(conn, credential={"kind": "static", "style": "header", "header": "x-api-key"})
        tool_id = await seeded.tool(conn, entry_id)
        return Scene(person, await seeded.token(conn, user=person), await seeded.gateway(conn), entry_id, tool_id)


async def install(pool: Pool, scene: Scene, credential: str, **owner: str) -> str:
    async with transaction(pool) as conn:
        found = new_id()
        sealed = Sealer(SECRETS, SECRET_VALUES_PURPOSE).seal(orjson.dumps({"credential": credential}), found)
        return await seeded.installation(
            conn, scene.entry_id, id=found, secret_values=sealed, secret_names=["credential"], **owner
        )


async def assign(pool: Pool, scene: Scene, installation: str | None = None) -> str:
    async with transaction(pool) as conn:
        return await seeded.assignment(conn, scene.gateway_id, scene.tool_id, installation=installation)


async def test_the_caller_s_own_credential_is_opened_into_the_sealed_answer(
    proxy: AskingProxy, pool: Pool, scene: Scene
) -> None:
    mine = await install(pool, scene, "key-of-ann", user=scene.person)
    await install(pool, scene, "key-of-all")
    assigned = await assign(pool, scene)
    answer = await proxy.installation(scene.digest, scene.gateway_id, assigned)
    assert answer.refusal is None
    assert answer.installation is not None
    assert answer.installation.installation_id == mine
    assert answer.installation.credential_headers == [("x-api-key", "key-of-ann")]
    assert answer.installation.owner == f"user:{scene.person}"


async def test_a_credential_given_for_another_origin_is_not_sent(
    proxy: AskingProxy, pool: Pool, scene: Scene
) -> None:
    installed = await install(pool, scene, "key")
    assigned = await assign(pool, scene, installed)
    await pool.execute("update entries set url = 'https://elsewhere.test/mcp'")
    answer = await proxy.installation(scene.digest, scene.gateway_id, assigned)
    assert answer.installation is None
    assert answer.refusal is not None
    assert answer.refusal.code == "needs_sign_in"
    assert "`archway installations update github@organisation --credential`" in answer.refusal.sentence
    link = f"{PAGES_URL}/install/github?as=user%3A{scene.person}&installation={installed}"
    assert answer.refusal.link == link
    assert f"Open {link} to put that right, then try again." in answer.refusal.sentence


async def test_a_sealed_value_moved_to_another_installation_opens_for_nobody(
    proxy: AskingProxy, pool: Pool, scene: Scene
) -> None:
    mine = await install(pool, scene, "key-of-ann", user=scene.person)
    theirs = await install(pool, scene, "key-of-all")
    sealed = await pool.fetchval("select secret_values from installations where id = $1", theirs)
    await pool.execute("update installations set secret_values = $1 where id = $2", sealed, mine)
    answer = await proxy.installation(scene.digest, scene.gateway_id, await assign(pool, scene))
    assert answer.installation is None
    assert answer.refusal is not None
    assert answer.refusal.code == "needs_sign_in"


async def test_the_token_is_checked_again_and_the_assignment_on_that_gateway_too(
    proxy: AskingProxy, pool: Pool, scene: Scene
) -> None:
    assigned = await assign(pool, scene, await install(pool, scene, "key"))
    async with transaction(pool) as conn:
        elsewhere = await seeded.gateway(conn, "elsewhere")
    assert (await proxy.installation(scene.digest, scene.gateway_id, assigned)).installation is not None
    for gateway_id, assignment_id in ((elsewhere, assigned), (scene.gateway_id, new_id()), ("x", "y")):
        answer = await proxy.installation(scene.digest, gateway_id, assignment_id)
        assert answer.refusal is not None
        assert answer.refusal.code == "not_allowed"
    await pool.execute("update tokens set revoked_at = now()")
    answer = await proxy.installation(scene.digest, scene.gateway_id, assigned)
    assert answer.refusal is not None
    assert answer.refusal.code == "not_allowed"


async def test_on_a_personal_gateway_leaving_the_team_or_losing_sight_of_the_entry_ends_its_use(
    proxy: AskingProxy, pool: Pool, scene: Scene
) -> None:
    async with transaction(pool) as conn:
        team = await seeded.team(conn, "ops", scene.person)
        other = await seeded.team(conn, "dev", scene.person)
        own = await seeded.gateway(conn, "own", visibility="personal", owner_id=scene.person)
        await conn.execute("update entries set visibility = 'teams'")
        await conn.execute("insert into entry_teams (entry_id, team_id) values ($1, $2)", scene.entry_id, other)
    pinned = await install(pool, scene, "key-of-ops", team=team)
    async with transaction(pool) as conn:
        assigned = await seeded.assignment(conn, own, scene.tool_id, installation=pinned)

    async def refused() -> str:
        answer = await proxy.installation(scene.digest, own, assigned)
        return answer.refusal.sentence if answer.refusal else ""

    assert await refused() == ""
    await pool.execute("delete from entry_teams")
    assert "is not visible to you any more" in await refused()
    await pool.execute("update entries set visibility = 'organisation'")
    assert await refused() == ""
    await pool.execute("delete from memberships where team_id = $1", team)
    assert "you are not in that team" in await refused()


async def test_nobody_s_credential_is_missing_with_a_link_and_a_command(
    proxy: AskingProxy, pool: Pool, scene: Scene
) -> None:
    async with transaction(pool) as conn:
        other = await seeded.user(conn, "bob")
    await install(pool, scene, "key-of-bob", user=other)
    answer = await proxy.installation(scene.digest, scene.gateway_id, await assign(pool, scene))
    assert answer.refusal is not None
    link = f"{PAGES_URL}/install/github?as=user%3A{scene.person}"
    assert (answer.refusal.code, answer.refusal.link) == ("credential_missing", link)
    assert f"Open {link} to connect it, then try again." in answer.refusal.sentence
    assert "`archway installations create --entry github --scope personal --credential`" in answer.refusal.sentence


async def test_a_frozen_postgres_is_a_503_within_a_second_and_a_half_and_then_all_is_well(
    proxy: AskingProxy, postgres: Server
) -> None:
    body = msgspec.msgpack.encode(CallerQuestion("0" * 64))
    await proxy.ask("/internal/token", CallerQuestion("0" * 64), CallerVerdict)
    postgres.freeze()
    try:
        authorization, _ = CALLS.mint("POST", "/internal/token", body)
        began = time.monotonic()
        assert await proxy.post("/internal/token", body, authorization) == (503, b"")
        took = time.monotonic() - began
    finally:
        postgres.thaw()
    assert took < 1.5 + A_BUSY_MACHINE_S
    async with asyncio.timeout(30):
        verdict = await proxy.ask("/internal/token", CallerQuestion("0" * 64), CallerVerdict)
    assert verdict.refusal == "unknown"


async def test_a_postgres_that_stops_in_the_middle_of_an_answer_is_a_503_as_soon(
    proxy: AskingProxy, pool: Pool
) -> None:
    body = msgspec.msgpack.encode(CallerQuestion("0" * 64))
    async with transaction(pool) as conn:
        await conn.execute("lock table tokens in access exclusive mode")
        authorization, _ = CALLS.mint("POST", "/internal/token", body)
        began = time.monotonic()
        assert await proxy.post("/internal/token", body, authorization) == (503, b"")
        assert time.monotonic() - began < 1.9 + A_BUSY_MACHINE_S
        gateway = await proxy.ask("/internal/gateway", GatewayQuestion("none"), GatewayAnswer)  # others go on
        assert gateway == GatewayAnswer()


async def test_a_flood_of_one_kind_of_question_is_turned_away_and_the_others_are_answered(
    proxy: AskingProxy, pool: Pool, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "ANSWER_WITHIN_S", 8.0)

    async def ask() -> int:
        body = msgspec.msgpack.encode(CallerQuestion(new_id()[:4] * 16))
        authorization, _ = CALLS.mint("POST", "/internal/token", body.replace(b"-", b"0"))
        return (await proxy.post("/internal/token", body.replace(b"-", b"0"), authorization))[0]

    async with transaction(pool) as conn:
        await conn.execute("lock table tokens in access exclusive mode")
        flood = asyncio.gather(*(ask() for _ in range(90)))
        await asyncio.sleep(0.1)
        assert await proxy.ask("/internal/gateway", GatewayQuestion("none"), GatewayAnswer) == GatewayAnswer()
        assert not flood.done()
        clock.pass_by(8)
        assert set(await flood) == {503}
    assert await ask() == 200
