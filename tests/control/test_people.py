"""Users, teams and memberships over the admin API."""

from __future__ import annotations

import asyncio

from control.store.pool import Pool, transaction
from core.identifiers import new_id
from tests.fixtures_admin import AdminClient


async def outbox(pool: Pool) -> list[tuple[str, str]]:
    async with transaction(pool, readonly=True) as connection:
        return [(row["kind"], row["name"]) for row in await connection.fetch("select * from outbox order by id")]


async def forget_outbox(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await connection.execute("delete from outbox")


async def test_a_user_is_made_read_changed_and_deleted(admin: AdminClient) -> None:
    made = await admin.made("/users", {"name": "Ann", "email": "ann@example.com"})
    path = f"/users/{made['id']}"
    assert (await admin.get(path)).json == made
    assert (made["role"], made["version"], made["disabled_at"]) == ("member", 1, None)
    changed = await admin.patch(path, {"role": "admin"})
    assert (changed.status, changed.json["role"], changed.json["name"], changed.headers["ETag"]) == (
        200, "admin", "Ann", '"2"',
    )  # fmt: skip
    assert (await admin.delete(path)).status == 204
    assert (await admin.get(path)).status == 404


async def test_the_first_admin_is_there_from_the_start(admin: AdminClient) -> None:
    (first,) = await admin.items("/users")
    assert (first["role"], first["id"]) == ("admin", admin.user["id"])


async def test_an_address_belongs_to_one_user_whatever_its_case(admin: AdminClient) -> None:
    await admin.made("/users", {"name": "Ann", "email": "ann@example.com"})
    again = await admin.post("/users", {"name": "Other", "email": "ANN@example.com"})
    assert (again.status, again.problem("email")) == (409, "is another user's; choose another")


async def test_the_last_admin_cannot_be_deleted_demoted_or_disabled(admin: AdminClient) -> None:
    path = f"/users/{admin.user['id']}"
    for answer in (
        await admin.delete(path),
        await admin.patch(path, {"role": "member"}),
        await admin.post(f"{path}/disable"),
    ):
        assert (answer.status, "last admin" in answer.json["detail"]) == (409, True)


async def test_two_admins_who_delete_each_other_at_once_do_not_both_succeed(admin: AdminClient) -> None:
    other = await admin.as_new_user("Bea", "admin")
    answers = await asyncio.gather(
        admin.delete(f"/users/{other.user['id']}"), other.delete(f"/users/{admin.user['id']}")
    )
    assert min(answer.status for answer in answers) == 204
    assert any(answer.status in {401, 409} for answer in answers)
    async with asyncio.timeout(30):
        alive = [client for client in (admin, other) if (await client.get("/me")).status == 200]
    assert alive


async def test_a_disabled_user_is_refused_until_enabled_again(admin: AdminClient, pool: Pool) -> None:
    ann = await admin.as_new_user("Ann")
    assert (await ann.get("/me")).status == 200
    await forget_outbox(pool)
    disabled = await admin.post(f"/users/{ann.user['id']}/disable")
    assert disabled.json["disabled_at"]
    assert await outbox(pool) == [("user", ann.user["id"])]
    assert (await ann.get("/me")).status == 401
    await admin.post(f"/users/{ann.user['id']}/enable")
    assert (await ann.get("/me")).status == 200


async def test_deleting_a_user_announces_each_token_and_the_user(admin: AdminClient, pool: Pool) -> None:
    ann = await admin.as_new_user("Ann")
    await forget_outbox(pool)
    await admin.delete(f"/users/{ann.user['id']}")
    kinds = [kind for kind, _ in await outbox(pool)]
    assert kinds == ["token", "user"]
    assert (await ann.get("/me")).status == 401


async def test_deleting_a_user_takes_their_personal_gateways_along_and_says_so(
    admin: AdminClient, pool: Pool
) -> None:
    ann = await admin.as_new_user("Ann")
    gateway_id = new_id()
    async with transaction(pool) as connection:
        await connection.execute(
            "insert into gateways (id, slug, name, visibility, owner_id) values ($1, 'own', 'own', 'personal', $2)",
            gateway_id, ann.user["id"],
        )  # fmt: skip
    await admin.delete(f"/users/{ann.user['id']}")
    assert ("gateway", gateway_id) in await outbox(pool)


async def test_a_member_sees_themselves_and_nobody_else(admin: AdminClient) -> None:
    ann, bea = await admin.as_new_user("Ann"), await admin.as_new_user("Bea")
    assert (await ann.get(f"/users/{ann.user['id']}")).status == 200
    assert (await ann.get(f"/users/{bea.user['id']}")).status == 404
    assert (await ann.get("/users")).status == 403
    assert (await ann.post("/users", {"name": "C", "email": "c@example.com"})).status == 403


async def test_me_tells_who_is_signed_in_and_their_teams(admin: AdminClient) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    ann = await admin.as_new_user("Ann")
    await admin.put(f"/teams/{team['id']}/members/{ann.user['id']}", {"role": "admin"})
    me = (await ann.get("/me")).json
    assert (me["user"]["name"], me["teams"]) == ("Ann", [{"id": team["id"], "name": "Red", "role": "admin"}])


async def test_a_team_is_seen_by_its_members_only(admin: AdminClient) -> None:
    red, blue = await admin.made("/teams", {"name": "Red"}), await admin.made("/teams", {"name": "Blue"})
    ann = await admin.as_new_user("Ann")
    await admin.put(f"/teams/{red['id']}/members/{ann.user['id']}", {})
    assert [team["name"] for team in await ann.items("/teams")] == ["Red"]
    assert (await ann.get(f"/teams/{blue['id']}")).status == 404
    assert (await ann.get(f"/teams/{red['id']}/members")).status == 200


async def test_a_teams_admin_manages_its_members_and_a_plain_member_does_not(admin: AdminClient) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    ann, bea = await admin.as_new_user("Ann"), await admin.as_new_user("Bea")
    members = f"/teams/{team['id']}/members"
    await admin.put(f"{members}/{ann.user['id']}", {"role": "admin"})
    assert (await ann.put(f"{members}/{bea.user['id']}", {"role": "member"})).status == 200
    assert (await bea.put(f"{members}/{bea.user['id']}", {"role": "admin"})).status == 403
    assert [member["name"] for member in await bea.items(members)] == ["Ann", "Bea"]
    assert (await ann.delete(f"{members}/{bea.user['id']}")).status == 204
    assert (await bea.get(members)).status == 404


async def test_who_joins_or_leaves_is_announced_and_raises_the_teams_version(admin: AdminClient, pool: Pool) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    ann = await admin.as_new_user("Ann")
    await forget_outbox(pool)
    path = f"/teams/{team['id']}/members/{ann.user['id']}"
    assert (await admin.put(path, {}, match='"1"')).status == 200
    assert (await admin.put(path, {"role": "admin"}, match='"1"')).status == 412
    assert (await admin.delete(path, match='"2"')).status == 204
    assert await outbox(pool) == [("user", ann.user["id"])] * 2
    assert (await admin.get(f"/teams/{team['id']}")).headers["ETag"] == '"3"'


async def test_nobody_joins_who_does_not_exist(admin: AdminClient) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    refused = await admin.put(f"/teams/{team['id']}/members/{new_id()}", {})
    assert (refused.status, "is not the id of a user" in refused.problem("user_id")) == (409, True)


async def test_deleting_a_team_announces_its_tokens_members_and_gateways(admin: AdminClient, pool: Pool) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    ann, gateway_id = await admin.as_new_user("Ann"), new_id()
    await admin.put(f"/teams/{team['id']}/members/{ann.user['id']}", {})
    await admin.made("/tokens", {"name": "t", "kind": "team", "team_id": team["id"]})
    async with transaction(pool) as connection:
        await connection.execute(
            "insert into gateways (id, slug, name, visibility) values ($1, 'g', 'g', 'teams')", gateway_id
        )
        await connection.execute("insert into gateway_teams values ($1, $2)", gateway_id, team["id"])
    await forget_outbox(pool)
    assert (await admin.delete(f"/teams/{team['id']}")).status == 204
    told = await outbox(pool)
    assert [kind for kind, _ in told] == ["token", "user", "team", "gateway"]
    assert told[1:] == [("user", ann.user["id"]), ("team", team["id"]), ("gateway", gateway_id)]


async def test_each_write_leaves_one_line_in_the_audit_trail(admin: AdminClient) -> None:
    made = await admin.post("/teams", {"name": "Red"})
    path = f"/teams/{made.json['id']}"
    await admin.patch(path, {"name": "Blue"})
    await admin.delete(path)
    deleted, updated, created = await admin.items(f"/audit?object_kind=team&object_id={made.json['id']}")
    assert (created["action"], created["before"], created["after"]["name"]) == ("create", None, "Red")
    assert (updated["before"]["name"], updated["after"]["name"]) == ("Red", "Blue")
    assert (deleted["action"], deleted["after"], deleted["actor_id"]) == ("delete", None, admin.user["id"])
    assert (created["address"], created["request_id"]) == ("127.0.0.1", made.headers["X-Request-Id"])


async def test_the_trail_keeps_what_the_api_showed(admin: AdminClient) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    user = await admin.made("/users", {"name": "Ann", "email": "ann@example.com"})
    token = await admin.made("/tokens", {"name": "ci", "kind": "user", "user_id": user["id"]})
    disabled = (await admin.post(f"/users/{user['id']}/disable")).json
    member = (await admin.put(f"/teams/{team['id']}/members/{user['id']}", {})).json
    revoked = (await admin.post(f"/tokens/{token['id']}/revoke")).json
    token.pop("secret")
    lines = [(line["before"], line["after"]) for line in reversed(await admin.items("/audit"))]
    assert lines == [
        (None, team), (None, user), (None, token), (user, disabled), (None, member),
        ({**token, "state": "disabled"}, revoked),
    ]  # fmt: skip


async def test_a_refused_write_leaves_no_line(admin: AdminClient) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    await admin.patch(f"/teams/{team['id']}", {"name": "Blue"}, match='"9"')
    await admin.post("/teams", {"name": "RED"})
    assert [line["action"] for line in await admin.items("/audit?object_kind=team")] == ["create"]


async def test_the_audit_trail_is_for_admins(admin: AdminClient) -> None:
    ann = await admin.as_new_user("Ann")
    assert (await ann.get("/audit")).status == 403
