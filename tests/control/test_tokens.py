"""Tokens over the admin API, and what the store tells a proxy about one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control.store import tokens
from control.store.pool import Pool, transaction
from core.identifiers import new_id
from core.resolve import CallerVerdict
from core.tokens import digest, new_token, well_formed
from tests.fixtures_admin import AdminClient
from tests.plugins.secret_canaries import Canaries, Sinks


async def verdict(pool: Pool, secret: str) -> CallerVerdict:
    async with transaction(pool) as connection:
        return await tokens.verdict_for(connection, digest(secret))


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def for_gateways(admin: AdminClient, user: AdminClient) -> str:
    """The secret of a new token of this user that is for gateways."""
    made = await admin.made("/tokens", {"name": "for gateways", "user_id": user.user["id"]})
    return str(made["secret"])


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
    principal = (await verdict(pool, await for_gateways(admin, ann))).principal
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


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"name": "x", "user_id": "ADMIN"}, id="of an admin"),
        pytest.param({"name": "x", "use": "gateways", "kind": "user", "user_id": "ADMIN"}, id="said in full"),
        pytest.param({"name": "x", "kind": "team", "team_id": "TEAM"}, id="of a team"),
        pytest.param({"name": "x", "kind": "organisation"}, id="of the organisation"),
    ],
)
@pytest.mark.parametrize("path", ["/me", "/openapi.json", "/tokens", "/users"])
async def test_a_token_for_gateways_opens_nothing_of_the_admin_api_and_is_told_the_cure(
    admin: AdminClient, body: dict[str, str], path: str
) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    known = {"ADMIN": admin.user["id"], "TEAM": team["id"]}
    made = await admin.made("/tokens", {name: known.get(value, value) for name, value in body.items()})
    assert made["use"] == "gateways"
    answer = await admin.bearing(made["secret"]).get(path)
    assert (answer.status, "archway tokens create --use api" in answer.json["detail"]) == (403, True)
    assert (await admin.get(f"/tokens/{made['id']}")).json["last_used_at"] is None


@pytest.mark.parametrize("body", [{"name": "x"}, {"name": "x", "use": "api"}])
async def test_a_token_for_gateways_makes_no_token(admin: AdminClient, body: dict[str, str]) -> None:
    secret = (await admin.made("/tokens", {"name": "in a client's file"}))["secret"]
    assert (await admin.bearing(secret).post("/tokens", body)).status == 403


async def test_an_api_token_is_a_user_at_the_api_and_nobody_at_gateways(admin: AdminClient, pool: Pool) -> None:
    ann = await admin.as_new_user("Ann")
    assert (await ann.get("/me")).json["user"]["id"] == ann.user["id"]
    found = await verdict(pool, ann.token)
    assert (found.principal, found.refusal) == (None, "")
    assert found.kept_out is not None
    assert (found.kept_out.kind, found.kept_out.id) == ("user", ann.user["id"])


async def test_a_verdict_on_an_api_token_is_no_use_of_it(admin: AdminClient, pool: Pool) -> None:
    made = await admin.made("/tokens", {"name": "script", "use": "api"})
    await verdict(pool, made["secret"])
    assert (await admin.get(f"/tokens/{made['id']}")).json["last_used_at"] is None


@pytest.mark.parametrize("kind", ["team", "organisation"])
async def test_an_api_token_belongs_to_a_person(admin: AdminClient, kind: str) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    body = {"name": "x", "use": "api", "kind": kind, **({"team_id": team["id"]} if kind == "team" else {})}
    refused = await admin.post("/tokens", body)
    assert (refused.status, "only with the kind user" in refused.problem("use")) == (422, True)


@pytest.mark.parametrize("use", ["gateways", "api"])
async def test_what_a_token_is_for_never_changes(admin: AdminClient, use: str) -> None:
    made = await admin.made("/tokens", {"name": "x", "use": use})
    for other in ("gateways", "api"):
        assert (await admin.patch(f"/tokens/{made['id']}", {"use": other})).status == 422
    assert (await admin.get(f"/tokens/{made['id']}")).json["use"] == use


@pytest.mark.parametrize("word", ["both", "", "API", None, ["api", "gateways"]])
async def test_a_use_that_is_none_is_refused_by_its_name(admin: AdminClient, word: object) -> None:
    refused = await admin.post("/tokens", {"name": "x", "use": word})
    assert (refused.status, refused.problem("use") != "") == (422, True)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"name": "x"}, id="of their own"),
        pytest.param({"name": "x", "use": "api"}, id="of their own, for the API"),
        pytest.param({"name": "x", "kind": "user", "user_id": "ADMIN"}, id="of another user"),
        pytest.param({"name": "x", "kind": "team", "team_id": "TEAM"}, id="of a team that they administer"),
        pytest.param({"name": "x", "kind": "organisation"}, id="of the organisation"),
    ],
)
async def test_a_members_api_token_makes_no_tokens(admin: AdminClient, body: dict[str, str]) -> None:
    ann, team = await admin.as_new_user("Ann"), await admin.made("/teams", {"name": "Red"})
    await admin.put(f"/teams/{team['id']}/members/{ann.user['id']}", {"role": "admin"})
    known = {"ADMIN": admin.user["id"], "TEAM": team["id"]}
    refused = await ann.post("/tokens", {name: known.get(value, value) for name, value in body.items()})
    assert (refused.status, "needs token:create" in refused.json["detail"]) == (403, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"name": "x", "kind": "team"}, 422, id="of no team"),
        pytest.param({"name": "x", "kind": "user", "team_id": "TEAM"}, 422, id="of a user, with a team"),
        pytest.param({"name": "x", "kind": "team", "team_id": "TEAM"}, 201, id="of a team"),
        pytest.param({"name": "x", "use": "api"}, 201, id="of their own, for the API"),
    ],
)
async def test_an_admins_api_token_makes_tokens(admin: AdminClient, body: dict[str, str], status: int) -> None:
    bea, team = await admin.as_new_user("Bea", "admin"), await admin.made("/teams", {"name": "Red"})
    wanted = {name: {"TEAM": team["id"]}.get(value, value) for name, value in body.items()}
    assert (await bea.post("/tokens", wanted)).status == status


@pytest.mark.parametrize("later", [None, 7200])
async def test_a_members_api_token_lets_no_token_live_longer(admin: AdminClient, later: float | None) -> None:
    ann = await admin.as_new_user("Ann")
    wanted = {"name": "short", "user_id": ann.user["id"], "expires_at": in_seconds(3600)}
    path = f"/tokens/{(await admin.made('/tokens', wanted))['id']}"
    refused = await ann.patch(path, {"expires_at": None if later is None else in_seconds(later)})
    assert (refused.status, "lets one live longer" in refused.json["detail"]) == (403, True)
    assert (await ann.patch(path, {"expires_at": in_seconds(1800)})).status == 200


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
    made = await admin.made("/tokens", {"name": "bot", "kind": "team", "team_id": team["id"]})
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


async def test_who_came_with_a_token_that_ends_gives_nothing_that_outlives_it(admin: AdminClient) -> None:
    ann = await admin.as_new_user("Ann", "admin")
    made = await ann.made("/tokens", {"name": "short", "use": "api", "expires_at": in_seconds(3600)})
    other = await ann.made("/tokens", {"name": "shorter", "expires_at": in_seconds(60)})
    short = ann.bearing(made["secret"])
    for later in (None, in_seconds(7200)):
        for token in (made, other):
            refused = await short.patch(f"/tokens/{token['id']}", {"expires_at": later})
            assert (refused.status, "that you came with" in refused.problem("expires_at")) == (422, True)
        refused = await short.post("/tokens", {"name": "long", "expires_at": later})
        assert (refused.status, "that you came with" in refused.problem("expires_at")) == (422, True)
    assert (await short.post("/tokens", {"name": "long"})).status == 422


async def test_who_came_with_a_token_that_ends_still_shortens_renames_and_makes_shorter_ones(
    admin: AdminClient,
) -> None:
    ann = await admin.as_new_user("Ann", "admin")
    made = await ann.made("/tokens", {"name": "short", "use": "api", "expires_at": in_seconds(3600)})
    short, path = ann.bearing(made["secret"]), f"/tokens/{made['id']}"
    assert (await short.patch(path, {"expires_at": in_seconds(1800)})).status == 200
    assert (await short.patch(path, {"name": "shorter"})).status == 200
    await short.made("/tokens", {"name": "shortest", "expires_at": in_seconds(60)})
    endless = (await ann.items("/tokens"))[0]
    assert (await short.patch(f"/tokens/{endless['id']}", {"expires_at": in_seconds(7200)})).status == 200
    assert (await admin.patch(path, {"expires_at": in_seconds(7200)})).status == 200


async def test_all_tokens_of_a_user_are_revoked_at_once_and_each_leaves_a_line(
    admin: AdminClient, pool: Pool
) -> None:
    ann, bea = await admin.as_new_user("Ann"), await admin.as_new_user("Bea")
    secrets = [ann.token, *[await for_gateways(admin, ann) for _ in range(2)]]
    gone = await admin.made("/tokens", {"name": "gone", "user_id": ann.user["id"]})
    await admin.post(f"/tokens/{gone['id']}/revoke")
    await run_sql(pool, "delete from outbox")
    answer = await admin.post(f"/users/{ann.user['id']}/revoke-tokens")
    assert (answer.status, answer.json) == (200, {"revoked": 3})
    assert [(await verdict(pool, secret)).refusal for secret in secrets] == ["revoked"] * 3
    async with transaction(pool, readonly=True) as connection:
        told = {tuple(row) for row in await connection.fetch("select kind, name from outbox")}
    assert told == {("token", digest(secret)) for secret in secrets}
    assert len(await admin.items("/audit?action=revoke&object_kind=token")) == 1 + 3
    assert (await bea.get("/me")).status == 200


async def test_a_user_revokes_all_of_their_own_with_the_token_that_they_came_with(admin: AdminClient) -> None:
    ann = await admin.as_new_user("Ann")
    assert (await ann.post(f"/users/{ann.user['id']}/revoke-tokens")).json == {"revoked": 1}
    assert (await ann.get("/me")).status == 401


async def test_nobody_revokes_all_tokens_of_another_but_an_admin(admin: AdminClient) -> None:
    ann, bea = await admin.as_new_user("Ann"), await admin.as_new_user("Bea")
    for user_id in (bea.user["id"], admin.user["id"], new_id()):
        assert (await ann.post(f"/users/{user_id}/revoke-tokens")).status == 404
    assert (await admin.post(f"/users/{new_id()}/revoke-tokens")).status == 404
    assert (await bea.get("/me")).status == 200


async def test_revoking_all_of_a_user_who_has_none_is_no_error_and_leaves_no_line(admin: AdminClient) -> None:
    ann = await admin.as_new_user("Ann")
    for count in (1, 0):
        assert (await admin.post(f"/users/{ann.user['id']}/revoke-tokens")).json == {"revoked": count}
    assert len(await admin.items("/audit?action=revoke")) == 1


async def test_tokens_are_listed_by_what_they_are_for_and_by_who_made_them(admin: AdminClient) -> None:
    ann = await admin.as_new_user("Ann", "admin")
    await ann.made("/tokens", {"name": "made by Ann", "user_id": admin.user["id"]})
    assert [one["name"] for one in await admin.items("/tokens?use=api")] == ["Ann's"]
    assert [one["name"] for one in await admin.items(f"/tokens?created_by={ann.user['id']}")] == ["made by Ann"]
