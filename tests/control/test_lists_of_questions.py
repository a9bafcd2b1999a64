"""Lists of questions, against a real Postgres: the answers to each alone, with as many statements as for one."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
import pytest

from control.registry.row_seals import SECRET_VALUES_PURPOSE
from control.store.pool import Connection, Pool, close_pool, open_pool, transaction
from control.store.resolution import Wanted, resolution_rows
from control.store.tokens import verdicts_for
from core.identifiers import new_id
from core.resolve import (
    MOST_IN_A_LIST,
    CallerQuestion,
    CallerQuestions,
    CallerVerdict,
    CallerVerdicts,
    InstallationAnswer,
    InstallationAnswers,
    InstallationQuestion,
    InstallationQuestions,
    Principal,
)
from core.sealing import Sealer
from tests.control import seeded
from tests.control.asking_proxy import CALLS, SECRETS, AskingProxy

HEADER = {"kind": "static", "style": "header", "header": "x-api-key"}


async def asked_together(proxy: AskingProxy, digests: list[str]) -> dict[str, CallerVerdict]:
    answer: CallerVerdicts = await proxy.ask("/internal/tokens", CallerQuestions(digests), CallerVerdicts)
    assert len(answer.verdicts) == len({one.digest for one in answer.verdicts})
    return {verdict.digest: verdict for verdict in answer.verdicts}


async def asked_together_for(
    proxy: AskingProxy, questions: list[InstallationQuestion]
) -> dict[InstallationQuestion, InstallationAnswer]:
    answer: InstallationAnswers = await proxy.ask(
        "/internal/connections", InstallationQuestions(questions), InstallationAnswers
    )
    return {one.question: one.answer for one in answer.answers}


async def tokens_of_all_sorts(pool: Pool) -> dict[str, str]:
    """Digests, by what is so of each."""
    async with transaction(pool) as conn:
        ann, bob, gone = [await seeded.user(conn, name) for name in ("ann", "bob", "gone")]
        team = await seeded.team(conn, "ops", ann)
        await seeded.team(conn, "dev", ann, bob)
        found = {
            "ann": await seeded.token(conn, user=ann),
            "ann, another": await seeded.token(conn, user=ann),
            "bob": await seeded.token(conn, user=bob),
            "ops": await seeded.token(conn, team=team),
            "everybody": await seeded.token(conn),
            "for the API": await seeded.token(conn, user=ann, use="api"),
            "revoked": await seeded.token(conn, user=ann),
            "expired": await seeded.token(conn, user=ann),
            "expires": await seeded.token(conn, user=ann),
            "disabled": await seeded.token(conn, user=gone),
            "unknown": "0" * 64,
            "out of form": "nul\0",
        }
        await conn.execute("update tokens set revoked_at = now() where digest = $1", found["revoked"])
        await conn.execute(
            "update tokens set expires_at = now() - interval '1 s' where digest = $1", found["expired"]
        )
        await conn.execute(
            "update tokens set expires_at = now() + interval '1 h' where digest = $1", found["expires"]
        )
        await conn.execute("update users set disabled_at = now() where id = $1", gone)
    return found


async def test_a_list_of_tokens_is_answered_as_each_alone(proxy: AskingProxy, pool: Pool) -> None:
    sorts = await tokens_of_all_sorts(pool)
    alone = {
        digest: await proxy.ask("/internal/token", CallerQuestion(digest), CallerVerdict) for digest in sorts.values()
    }
    together = await asked_together(proxy, [*sorts.values(), sorts["bob"]])
    assert together == alone
    told = {sort: together[digest] for sort, digest in sorts.items()}
    assert {sort: verdict.refusal for sort, verdict in told.items() if verdict.refusal} == {
        "revoked": "revoked",
        "expired": "expired",
        "disabled": "disabled",
        "unknown": "unknown",
        "out of form": "unknown",
    }
    bearers = {sort: verdict.principal for sort, verdict in told.items()}
    assert {sort for sort, bearer in bearers.items() if bearer} == {
        "ann",
        "ann, another",
        "bob",
        "ops",
        "everybody",
        "expires",
    }
    assert [len(bearer.teams) for sort in ("ann", "bob") if (bearer := bearers[sort])] == [2, 1]
    assert told["for the API"].kept_out is not None
    assert told["expires"].expires is not None


async def test_an_empty_list_is_answered(proxy: AskingProxy) -> None:
    assert await asked_together(proxy, []) == {}
    assert await asked_together_for(proxy, []) == {}


@pytest.mark.parametrize(("path", "more"), [("tokens", 0), ("tokens", 1), ("connections", 0), ("connections", 1)])
async def test_a_list_that_is_too_long_is_not_read(path: str, more: int, proxy: AskingProxy) -> None:
    digests = [f"{number:064x}" for number in range(MOST_IN_A_LIST + more)]
    asked: Any = CallerQuestions(digests)
    if path == "connections":
        asked = InstallationQuestions([InstallationQuestion(one, new_id(), new_id()) for one in digests])
    body = msgspec.msgpack.encode(asked)
    authorization, _ = CALLS.mint("POST", f"/internal/{path}", body)
    status, _ = await proxy.post(f"/internal/{path}", body, authorization)
    assert status == (400 if more else 200)


async def test_the_use_of_the_tokens_of_a_list_is_noted_once_a_minute(proxy: AskingProxy, pool: Pool) -> None:
    sorts = await tokens_of_all_sorts(pool)
    recent = "update tokens set last_used_at = now() - interval '50 s' where digest = $1 returning last_used_at"
    before = await pool.fetchval(recent, sorts["bob"])
    await asked_together(proxy, list(sorts.values()))
    used = {row["digest"]: row["last_used_at"] for row in await pool.fetch("select digest, last_used_at from tokens")}
    assert used.pop(sorts["bob"]) == before
    noted = {sort for sort, digest in sorts.items() if used.get(digest)}
    assert noted == {"ann", "ann, another", "ops", "everybody", "expires"}


async def install(conn: Connection, entry_id: str, credential: str, **owner: str) -> str:
    found = new_id()
    sealed = Sealer(SECRETS, SECRET_VALUES_PURPOSE).seal(orjson.dumps({"credential": credential}), found)
    return await seeded.installation(
        conn, entry_id, id=found, secret_values=sealed, secret_names=["credential"], **owner
    )


async def questions_of_all_sorts(pool: Pool) -> list[InstallationQuestion]:
    """Every token for every tool, and then some."""
    sorts = await tokens_of_all_sorts(pool)
    async with transaction(pool) as conn:
        people = {row["name"]: row["id"] for row in await conn.fetch("select name, id from users")}
        teams = {row["name"]: row["id"] for row in await conn.fetch("select name, id from teams")}
        own, shared, two = [await seeded.entry(conn, slug, credential=HEADER) for slug in ("own", "shared", "two")]
        await install(conn, own, "key-of-ann", user=people["ann"])
        await install(conn, own, "key-of-ops", team=teams["ops"])
        everybodys = await install(conn, shared, "key-of-all")
        anns = await install(conn, shared, "key-of-ann", user=people["ann"])
        for team in ("ops", "dev"):
            await install(conn, two, f"key-of-{team}", team=teams[team])
        gateway, closed = await seeded.gateway(conn), await seeded.gateway(conn, "closed", teams=(teams["ops"],))
        personal = await seeded.gateway(conn, "mine", visibility="personal", owner_id=people["ann"])
        tools = {entry: await seeded.tool(conn, entry) for entry in (own, shared, two)}
        assigned = []
        for number, (where, entry, pinned) in enumerate(
            [
                (gateway, own, None),
                (gateway, shared, None),
                (gateway, shared, everybodys),
                (gateway, shared, anns),
                (gateway, two, None),
                (closed, shared, everybodys),
                (personal, own, None),
                (personal, shared, anns),
            ]
        ):
            made = await seeded.assignment(conn, where, tools[entry], f"tool_{number}", installation=pinned)
            assigned.append((where, made))
    found = [InstallationQuestion(digest, *place) for digest in sorts.values() for place in assigned]
    ann = sorts["ann"]
    return [
        *found,
        InstallationQuestion(ann, closed, assigned[0][1]),
        InstallationQuestion(ann, gateway, new_id()),
        InstallationQuestion(ann, "x", "y"),
    ]


async def test_a_list_of_installations_is_answered_as_each_alone(proxy: AskingProxy, pool: Pool) -> None:
    questions = await questions_of_all_sorts(pool)
    assert len(questions) == 99
    together = await asked_together_for(proxy, questions)
    alone = {one: await proxy.installation(one.digest, one.gateway_id, one.assignment_id) for one in questions}
    assert together == alone
    keys = {
        header[1]
        for answer in together.values()
        if answer.installation is not None
        for header in answer.installation.credential_headers
    }
    assert keys == {"key-of-ann", "key-of-ops", "key-of-all", "key-of-dev"}
    codes = {answer.refusal.code for answer in together.values() if answer.refusal is not None}
    assert codes == {"not_allowed", "credential_missing", "credential_ambiguous"}


async def test_a_value_that_cannot_be_opened_spoils_no_other_answer(proxy: AskingProxy, pool: Pool) -> None:
    questions = await questions_of_all_sorts(pool)
    before = await asked_together_for(proxy, questions)
    spoilt = next(one.installation for one in before.values() if one.installation is not None)
    await pool.execute("update installations set secret_values = '\\x00' where id = $1", spoilt.installation_id)
    after = await asked_together_for(proxy, questions)
    other = {one for one in questions if after[one] != before[one]}
    assert other
    for question in other:
        was, refusal = before[question].installation, after[question].refusal
        assert was is not None
        assert refusal is not None
        assert (was.installation_id, refusal.code) == (spoilt.installation_id, "needs_sign_in")


async def test_a_row_that_cannot_be_read_leaves_its_list_to_be_asked_one_by_one(
    proxy: AskingProxy, pool: Pool
) -> None:
    questions = await questions_of_all_sorts(pool)
    before = await asked_together_for(proxy, questions)
    await pool.execute("update entries set credential = '{\"kind\": \"of a version to come\"}' where slug = 'two'")
    assert await asked_together_for(proxy, questions) == {}
    one = next(one for one, answer in before.items() if answer.installation and answer.installation.entry == "own")
    assert await proxy.installation(one.digest, one.gateway_id, one.assignment_id) == before[one]
    assert await asked_together_for(proxy, [one]) == {one: before[one]}


class Counting:
    """A connection that counts its statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self.statements = connection, 0

    def __getattr__(self, name: str) -> Any:
        self.statements += 1
        return getattr(self._connection, name)


async def test_a_list_takes_as_many_statements_as_one_of_each_kind_of_its_questions(pool: Pool) -> None:
    questions = await questions_of_all_sorts(pool)
    seen = []
    for asked in (questions[:1], questions):
        async with transaction(pool) as conn:
            await conn.execute("update tokens set last_used_at = null")
            counting: Any = Counting(conn)
            verdicts = await verdicts_for(counting, [one.digest for one in asked if "\0" not in one.digest])
            bearers = {digest: one.principal for digest, one in verdicts.items() if one.principal is not None}
            wanted = [
                Wanted(one.gateway_id, one.assignment_id, bearers[one.digest])
                for one in asked
                if one.digest in bearers and one.gateway_id != "x"
            ]
            await resolution_rows(counting, wanted)
            seen.append(counting.statements)
    assert seen == [8, 9]


async def test_what_takes_a_list_is_planned_once_and_not_for_each_question(database: str, pool: Pool) -> None:
    sorts = await tokens_of_all_sorts(pool)
    ours = await open_pool(database, largest=1, plans_once=True)
    try:
        for _ in range(10):
            async with transaction(ours) as conn:
                await verdicts_for(conn, [sorts["ann"], sorts["bob"]])
        planned = await ours.fetchrow(
            """select custom_plans, generic_plans from pg_prepared_statements
               where statement like '%t.digest = any%' and statement not like '%pg_prepared_statements%'"""
        )
    finally:
        await close_pool(ours)
    assert planned is not None
    assert (planned["custom_plans"], planned["generic_plans"]) == (0, 10)


async def test_nothing_is_read_for_nobody(pool: Pool) -> None:
    async with transaction(pool) as conn:
        counting: Any = Counting(conn)
        assert await resolution_rows(counting, []) == []
        assert counting.statements == 0
        bearer = Principal("organisation", "organisation", "all")
        assert await resolution_rows(counting, [Wanted(new_id(), new_id(), bearer)]) == [None]
        assert counting.statements == 1
