"""Tokens over the admin API, and what the store tells a proxy about one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control.store import tokens
from control.store.pool import Pool, transaction
from core.resolve import TokenVerdict
from core.tokens import digest, new_token, well_formed
from tests.fixtures_admin import AdminClient
from tests.plugins.secret_canaries import Canaries, Sinks


async def verdict(pool: Pool, secret: str) -> TokenVerdict:
    async with transaction(pool) as connection:
        return await tokens.verdict_for(connection, digest(secret))


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def run_sql(pool: Pool, sql: str, *arguments: object) -> None:
    async with transaction(pool) as connection:
        await connection.execute(sql, *arguments)


async def test_the_secret_is_shown_once_and_only_its_digest_is_kept(
    admin: AdminClient, pool: Pool, canary: Canaries, sinks: Sinks
) -> None:
    made = await admin.made("/tokens", {"name": "laptop"})
    secret = made["secret"]
    assert well_formed(secret)
    canary.watch("token", secret)
    for path in (f"/tokens/{made['id']}", "/tokens", "/audit"):
        sinks.feed(path, (await admin.get(path)).body)
    async with transaction(pool, readonly=True) as connection:
        sinks.feed("the table", str([dict(row) for row in await connection.fetch("select * from tokens")]))
        sinks.feed("the trail", str([dict(row) for row in await connection.fetch("select * from audit")]))
        assert await connection.fetchval("select digest from tokens") == digest(secret)


async def test_a_token_of_a_user_is_that_user_with_their_teams(admin: AdminClient, pool: Pool) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    ann = await admin.as_new_user("Ann")
    await admin.put(f"/teams/{team['id']}/members/{ann.user['id']}", {})
    principal = (await verdict(pool, ann.token)).principal
    assert principal is not None
    assert (principal.kind, principal.id, principal.name) == ("user", ann.user["id"], "Ann")
    assert principal.teams == {team["id"]}


async def test_a_token_of_a_team_is_in_that_team_alone(admin: AdminClient, pool: Pool) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    made = await admin.made("/tokens", {"name": "bot", "kind": "team", "team_id": team["id"]})
    principal = (await verdict(pool, made["secret"])).principal
    assert principal is not None
    assert (principal.kind, principal.id, principal.name, principal.teams) == (
        "team", team["id"], "Red", {team["id"]},
    )  # fmt: skip


async def test_a_token_of_the_organisation_is_in_no_team(admin: AdminClient, pool: Pool) -> None:
    made = await admin.made("/tokens", {"name": "ci", "kind": "organisation"})
    principal = (await verdict(pool, made["secret"])).principal
    assert principal is not None
    assert (principal.kind, principal.id, principal.teams) == ("organisation", "organisation", frozenset())


async def test_a_made_up_token_is_unknown(pool: Pool) -> None:
    found = await verdict(pool, new_token())
    assert (found.principal, found.refusal) == (None, "unknown")


async def test_a_revoked_token_is_refused_and_announced(admin: AdminClient, pool: Pool) -> None:
    made = await admin.made("/tokens", {"name": "laptop"})
    await run_sql(pool, "delete from outbox")
    revoked = await admin.post(f"/tokens/{made['id']}/revoke")
    assert (revoked.status, revoked.json["state"]) == (200, "revoked")
    found = await verdict(pool, made["secret"])
    assert (found.principal, found.refusal) == (None, "revoked")
    async with transaction(pool, readonly=True) as connection:
        rows = await connection.fetch("select kind, name from outbox")
    assert [tuple(row) for row in rows] == [("token", digest(made["secret"]))]


async def test_revoking_twice_is_no_error_and_leaves_one_line(admin: AdminClient) -> None:
    made = await admin.made("/tokens", {"name": "laptop"})
    for _ in range(2):
        assert (await admin.post(f"/tokens/{made['id']}/revoke")).status == 200
    assert len(await admin.items("/audit?action=revoke")) == 1


async def test_a_deleted_token_is_refused(admin: AdminClient, pool: Pool) -> None:
    made = await admin.made("/tokens", {"name": "laptop"})
    assert (await admin.delete(f"/tokens/{made['id']}", match='"1"')).status == 204
    assert (await verdict(pool, made["secret"])).refusal == "unknown"


async def test_a_token_of_a_disabled_user_is_refused(admin: AdminClient, pool: Pool) -> None:
    ann = await admin.as_new_user("Ann")
    await admin.post(f"/users/{ann.user['id']}/disable")
    assert (await verdict(pool, ann.token)).refusal == "disabled"


async def test_a_token_of_a_deleted_user_is_refused(admin: AdminClient, pool: Pool) -> None:
    ann = await admin.as_new_user("Ann")
    await admin.delete(f"/users/{ann.user['id']}")
    assert (await verdict(pool, ann.token)).refusal == "unknown"


async def test_a_token_past_its_expiry_is_refused(admin: AdminClient, pool: Pool) -> None:
    made = await admin.made("/tokens", {"name": "short", "expires_at": in_seconds(3600)})
    found = await verdict(pool, made["secret"])
    assert found.expires == pytest.approx(datetime.fromisoformat(made["expires_at"]).timestamp(), abs=0.01)
    await run_sql(pool, "update tokens set expires_at = now() - interval '1 second' where id = $1", made["id"])
    assert (await verdict(pool, made["secret"])).refusal == "expired"
    assert (await admin.get(f"/tokens/{made['id']}")).json["state"] == "expired"
    assert (await admin.bearing(made["secret"]).get("/me")).status == 401


async def test_an_expiry_in_the_past_is_refused_naming_it(admin: AdminClient) -> None:
    refused = await admin.post("/tokens", {"name": "late", "expires_at": in_seconds(-1)})
    assert (refused.status, "is in the past" in refused.problem("expires_at")) == (422, True)


async def test_use_is_noted_at_most_once_a_minute(admin: AdminClient, pool: Pool) -> None:
    made = await admin.made("/tokens", {"name": "laptop"})
    assert made["last_used_at"] is None

    async def used() -> datetime:
        async with transaction(pool) as connection:
            await tokens.verdict_for(connection, digest(made["secret"]))
            return await connection.fetchval("select last_used_at from tokens where id = $1", made["id"])  # type: ignore[no-any-return]

    first = await used()
    assert await used() == first
    await run_sql(pool, "update tokens set last_used_at = now() - interval '61 seconds' where id = $1", made["id"])
    assert await used() > first


async def test_a_verdict_does_not_wait_for_a_writer_of_the_same_token(admin: AdminClient, pool: Pool) -> None:
    made = await admin.made("/tokens", {"name": "laptop"})
    async with transaction(pool) as writer:
        await writer.execute("select from tokens where id = $1 for update", made["id"])
        assert (await verdict(pool, made["secret"])).principal is not None


async def test_only_a_user_token_opens_the_admin_api(admin: AdminClient) -> None:
    made = await admin.made("/tokens", {"name": "ci", "kind": "organisation"})
    assert (await admin.bearing(made["secret"]).get("/me")).status == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"name": "x", "kind": "organisation"}, 403, id="of the organisation"),
        pytest.param({"name": "x", "kind": "user", "user_id": "ADMIN"}, 403, id="of another user"),
        pytest.param({"name": "x", "kind": "team", "team_id": "TEAM"}, 403, id="of a team that they do not manage"),
        pytest.param({"name": "x", "kind": "team"}, 422, id="of no team"),
        pytest.param({"name": "x", "kind": "user", "team_id": "TEAM"}, 422, id="of a user, with a team"),
        pytest.param({"name": "x"}, 201, id="of their own"),
    ],
)
async def test_a_member_makes_tokens_of_their_own_only(admin: AdminClient, body: dict[str, str], status: int) -> None:
    ann, team = await admin.as_new_user("Ann"), await admin.made("/teams", {"name": "Red"})
    known = {"ADMIN": admin.user["id"], "TEAM": team["id"]}
    assert (
        await ann.post("/tokens", {name: known.get(value, value) for name, value in body.items()})
    ).status == status


async def test_a_member_sees_and_changes_their_own_tokens_only(admin: AdminClient) -> None:
    ann = await admin.as_new_user("Ann")
    foreign = await admin.made("/tokens", {"name": "the admin's"})
    path = f"/tokens/{foreign['id']}"
    assert [token["name"] for token in await ann.items("/tokens")] == ["Ann's"]
    assert [(await ann.get(path)).status, (await ann.post(f"{path}/revoke")).status] == [404, 404]
    assert [(await ann.delete(path)).status, (await ann.patch(path, {"name": "mine"}, match="*")).status] == [
        404,
        404,
    ]


async def test_a_teams_admin_manages_the_teams_tokens(admin: AdminClient) -> None:
    ann, team = await admin.as_new_user("Ann"), await admin.made("/teams", {"name": "Red"})
    await admin.put(f"/teams/{team['id']}/members/{ann.user['id']}", {"role": "admin"})
    made = await ann.made("/tokens", {"name": "bot", "kind": "team", "team_id": team["id"]})
    assert {token["name"] for token in await ann.items("/tokens")} == {"Ann's", "bot"}
    assert (await ann.post(f"/tokens/{made['id']}/revoke")).status == 200


async def test_a_found_token_is_identified_by_itself_or_by_its_digest(admin: AdminClient) -> None:
    made = await admin.made("/tokens", {"name": "laptop"})
    for found in ({"token": made["secret"]}, {"digest": digest(made["secret"])}):
        told = await admin.post("/tokens/identify", found)
        assert (told.status, told.json["well_formed"], told.json["token"]["name"]) == (200, True, "laptop")
        assert made["secret"] not in told.body.decode()


async def test_what_is_no_token_of_ours_is_told_apart_from_one_that_was_never_issued(admin: AdminClient) -> None:
    mistyped = new_token()[:-1] + "!"
    assert (await admin.post("/tokens/identify", {"token": mistyped})).json == {"well_formed": False, "token": None}
    unknown = await admin.post("/tokens/identify", {"token": new_token()})
    assert unknown.json == {"well_formed": True, "token": None}


async def test_a_member_identifies_no_token_of_others(admin: AdminClient) -> None:
    ann, made = await admin.as_new_user("Ann"), await admin.made("/tokens", {"name": "the admin's"})
    assert (await ann.post("/tokens/identify", {"token": made["secret"]})).json["token"] is None


async def test_a_revoked_token_cannot_be_brought_back_by_a_new_expiry(admin: AdminClient) -> None:
    made = await admin.made("/tokens", {"name": "laptop"})
    await admin.post(f"/tokens/{made['id']}/revoke")
    assert (await admin.patch(f"/tokens/{made['id']}", {"expires_at": in_seconds(60)})).status == 409


async def test_an_expiry_is_changed_and_taken_away(admin: AdminClient, pool: Pool) -> None:
    made = await admin.made("/tokens", {"name": "laptop"})
    path = f"/tokens/{made['id']}"
    assert (await admin.patch(path, {"expires_at": in_seconds(60)})).json["expires_at"] is not None
    renamed = (await admin.patch(path, {"name": "desktop"})).json
    assert (renamed["name"], renamed["expires_at"] is None) == ("desktop", False)
    assert (await admin.patch(path, {"expires_at": None})).json["expires_at"] is None


@pytest.mark.parametrize("role", ["member", "admin"])
async def test_who_came_with_a_token_that_ends_gives_nothing_that_outlives_it(admin: AdminClient, role: str) -> None:
    ann = await admin.as_new_user("Ann", role)
    made = await ann.made("/tokens", {"name": "short", "expires_at": in_seconds(3600)})
    other = await ann.made("/tokens", {"name": "shorter", "expires_at": in_seconds(60)})
    short = ann.bearing(made["secret"])
    for later in (None, in_seconds(7200)):
        for token in (made, other):
            refused = await short.patch(f"/tokens/{token['id']}", {"expires_at": later})
            assert (refused.status, "you are signed in with" in refused.problem("expires_at")) == (422, True)
        refused = await short.post("/tokens", {"name": "long", "expires_at": later})
        assert (refused.status, "you are signed in with" in refused.problem("expires_at")) == (422, True)
    assert (await short.post("/tokens", {"name": "long"})).status == 422


async def test_who_came_with_a_token_that_ends_still_shortens_renames_and_makes_shorter_ones(
    admin: AdminClient,
) -> None:
    ann = await admin.as_new_user("Ann")
    made = await ann.made("/tokens", {"name": "short", "expires_at": in_seconds(3600)})
    short, path = ann.bearing(made["secret"]), f"/tokens/{made['id']}"
    assert (await short.patch(path, {"expires_at": in_seconds(1800)})).status == 200
    assert (await short.patch(path, {"name": "shorter"})).status == 200
    await short.made("/tokens", {"name": "shortest", "expires_at": in_seconds(60)})
    endless = (await ann.items("/tokens"))[0]
    assert (await short.patch(f"/tokens/{endless['id']}", {"expires_at": in_seconds(7200)})).status == 200
    assert (await admin.patch(path, {"expires_at": in_seconds(7200)})).status == 200
