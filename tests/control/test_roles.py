"""Roles that admins make, and what people hold by them, over the admin API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from control.http import reading
from control.registry.actions import ACTIONS, permissions_of
from control.store.pool import Pool, transaction
from core.identifiers import new_id
from tests.fixtures_admin import AdminClient


async def test_a_role_is_made_read_changed_and_deleted(admin: AdminClient) -> None:
    wanted = {"name": "Auditor", "description": "Looks", "permissions": ["audit:read", "record:read"]}
    made = await admin.made("/roles", wanted)
    path = f"/roles/{made['id']}"
    assert (await admin.get(path)).json == made
    assert (made["permissions"], made["version"]) == (["record:read", "audit:read"], 1)
    changed = await admin.patch(path, {"permissions": ["gap:read"]})
    assert (changed.json["permissions"], changed.json["description"], changed.headers["ETag"]) == (
        ["gap:read"], "Looks", '"2"',
    )  # fmt: skip
    assert [one["name"] for one in await admin.items("/roles?name=AUDITOR")] == ["Auditor"]
    assert (await admin.delete(path)).status == 204
    assert (await admin.get(path)).status == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "Editor"}, 422, "name"),
        ({"name": "Maker", "permissions": ["token:create"]}, 422, "permissions[0]"),
        ({"name": "Odd", "permissions": ["no:such"]}, 422, "permissions[0]"),
        ({"name": "auditor"}, 409, "name"),
    ],
)
async def test_a_role_that_cannot_be_is_refused_by_the_field(
    admin: AdminClient, body: dict[str, object], status: int, field: str
) -> None:
    await admin.made("/roles", {"name": "Auditor"})
    answer = await admin.post("/roles", body)
    assert answer.status == status
    assert answer.problem(field)


async def test_who_is_given_a_role_may_what_it_holds_from_the_next_request_on(admin: AdminClient) -> None:
    ann, role = (
        await admin.as_new_user("Ann"),
        await admin.made("/roles", {"name": "A", "permissions": ["audit:read"]}),
    )
    path = f"/roles/{role['id']}/holders/{ann.user['id']}"
    assert (await ann.get("/audit")).status == 403
    given = await admin.put(path, {})
    assert (given.json["email"], given.json["role_id"], given.json["team_id"]) == (
        "ann@example.com", role["id"], None,
    )  # fmt: skip
    assert (await ann.get("/audit")).status == 200
    assert "audit:read" in (await ann.get("/me")).json["permissions"]
    assert (await admin.get(f"/roles/{role['id']}")).headers["ETag"] == '"2"'
    assert (await admin.patch(f"/roles/{role['id']}", {"permissions": ["gap:read"]})).status == 200
    assert [(await ann.get(path)).status for path in ("/audit", "/records/gaps")] == [403, 200]
    assert (await admin.delete(path)).status == 204
    assert (await ann.get("/records/gaps")).status == 403
    assert (await admin.delete(path)).status == 404


async def test_holders_are_listed_in_pages_and_a_teams_admin_sees_those_of_the_team(admin: AdminClient) -> None:
    role = await admin.made("/roles", {"name": "A", "permissions": ["token:read"]})
    red, blue = await admin.made("/teams", {"name": "Red"}), await admin.made("/teams", {"name": "Blue"})
    people = [await admin.as_new_user(name) for name in ("Cid", "Ann")]
    for person in people:
        for team in (red, blue):
            await admin.put(f"/teams/{team['id']}/members/{person.user['id']}", {})
            await admin.put(f"/roles/{role['id']}/holders/{person.user['id']}", {"team_id": team["id"]})
    await admin.put(f"/roles/{role['id']}/holders/{people[0].user['id']}", {})
    seen, cursor = [], ""
    while True:
        page = (await admin.get(f"/roles/{role['id']}/holders?limit=2{cursor}")).json
        seen += [(one["team"], one["name"]) for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [(None, "Cid"), ("Blue", "Ann"), ("Blue", "Cid"), ("Red", "Ann"), ("Red", "Cid")]
    tom = await admin.as_new_user("Tom")
    await admin.put(f"/teams/{red['id']}/members/{tom.user['id']}", {"role": "admin"})
    of_red = await tom.items(f"/roles/{role['id']}/holders")
    assert [(one["team"], one["name"]) for one in of_red] == [("Red", "Ann"), ("Red", "Cid")]
    assert (await people[0].get(f"/roles/{role['id']}/holders")).status == 403
    assert (await admin.get(f"/roles/{role['id']}/holders?cursor=eA")).status == 422
    assert (await admin.get(f"/roles/{new_id()}/holders")).status == 404


async def test_a_role_is_held_for_a_team_that_one_is_in(admin: AdminClient) -> None:
    role, team = await admin.made("/roles", {"name": "A"}), await admin.made("/teams", {"name": "Red"})
    ann = await admin.as_new_user("Ann")
    answer = await admin.put(f"/roles/{role['id']}/holders/{ann.user['id']}", {"team_id": team["id"]})
    assert (answer.status, "is in; add them" in answer.problem("team_id")) == (409, True)
    nobody = await admin.put(f"/roles/{role['id']}/holders/{new_id()}", {})
    assert (nobody.status, "is not the id of a user" in nobody.problem("user_id")) == (409, True)


async def test_me_tells_what_one_holds_for_everything_and_for_each_team(admin: AdminClient) -> None:
    team = await admin.made("/teams", {"name": "Red"})
    ann = await admin.as_new_user("Ann")
    await admin.put(f"/teams/{team['id']}/members/{ann.user['id']}", {"role": "editor"})
    me = (await ann.get("/me")).json
    assert {*me["permissions"]} == permissions_of("member")
    assert "installation:share" in me["team_permissions"][team["id"]]
    assert "record:read" not in me["team_permissions"][team["id"]]


async def test_every_permission_is_listed_with_who_holds_it(admin: AdminClient) -> None:
    ann = await admin.as_new_user("Ann")
    listed = (await ann.get("/permissions")).json["items"]
    assert [one["name"] for one in listed] == list(ACTIONS)
    assert {one["name"] for one in listed if one["held"]} == permissions_of("member")
    (member,) = [one for one in listed if one["name"] == "member:update"]
    assert (member["team"], member["role"], member["own"], member["reserved"]) == ("admin", "admin", False, False)


async def test_an_editor_keeps_entries_and_gateways_and_manages_nobody(admin: AdminClient) -> None:
    ed = await admin.as_new_user("Ed", "editor")
    entry = await ed.made("/entries", {"slug": "crm", "name": "CRM", "url": "https://crm.example/mcp"})
    gateway = await ed.made("/gateways", {"slug": "desk", "name": "Desk"})
    assert (await ed.patch(f"/entries/{entry['id']}", {"name": "Crm"})).status == 200
    assert (await ed.delete(f"/gateways/{gateway['id']}")).status == 204
    for refused in (
        await ed.get("/users"),
        await ed.post("/users", {"name": "C", "email": "c@example.com"}),
        await ed.post("/tokens", {"name": "x"}),
        await ed.get("/audit"),
        await ed.post("/roles", {"name": "R"}),
    ):
        assert refused.status == 403


async def test_a_role_that_lets_people_in_makes_no_editors_and_no_admins(admin: AdminClient) -> None:
    host, role = await admin.as_new_user("Host"), {"name": "Host", "permissions": ["user:create", "user:update"]}
    made = await admin.made("/roles", role)
    await admin.put(f"/roles/{made['id']}/holders/{host.user['id']}", {})
    body = {"name": "New", "email": "new@example.com"}
    for wanted in ("admin", "editor"):
        refused = await host.post("/users", {**body, "role": wanted})
        assert (refused.status, "needs role:grant" in refused.json["detail"]) == (403, True)
    new = await host.made("/users", body)
    assert (await host.send("PATCH", f"/users/{new['id']}", {"role": "editor"}, match="*")).status == 403
    assert (await host.send("PATCH", f"/users/{new['id']}", {"name": "Newer"}, match="*")).status == 200
    assert (await host.send("PATCH", f"/users/{admin.user['id']}", {"name": "X"}, match="*")).status == 403
    assert (await host.send("PATCH", f"/users/{host.user['id']}", {"role": "admin"}, match="*")).status == 403


async def test_who_may_give_roles_gives_no_more_than_they_hold_and_none_of_theirs_grows(admin: AdminClient) -> None:
    names = ["role:grant", "role:create", "role:update", "gap:read"]
    giver, role = await admin.as_new_user("Gil"), await admin.made("/roles", {"name": "Giver", "permissions": names})
    await admin.put(f"/roles/{role['id']}/holders/{giver.user['id']}", {})
    more = await giver.patch(f"/roles/{role['id']}", {"permissions": [*names, "audit:read"]})
    assert (more.status, "you lack audit:read" in more.json["detail"]) == (403, True)
    assert (await giver.post("/roles", {"name": "B", "permissions": ["audit:read"]})).status == 403
    auditor = await admin.made("/roles", {"name": "Auditor", "permissions": ["audit:read"]})
    assert (await giver.put(f"/roles/{auditor['id']}/holders/{giver.user['id']}", {})).status == 403
    assert (await giver.put(f"/roles/{role['id']}/holders/{admin.user['id']}", {})).status == 200


async def test_changes_of_roles_and_holders_are_in_the_audit_trail(admin: AdminClient) -> None:
    role = await admin.made("/roles", {"name": "A", "permissions": ["gap:read"]})
    await admin.put(f"/roles/{role['id']}/holders/{admin.user['id']}", {})
    (made,) = await admin.items("/audit?object_kind=role")
    (given,) = await admin.items("/audit?object_kind=role_holder")
    assert (made["action"], made["after"]["permissions"]) == ("create", ["gap:read"])
    assert (given["action"], given["after"]["role"], given["actor"]) == ("create", "A", admin.user["name"])


async def test_a_row_of_a_later_version_gives_what_this_one_knows(admin: AdminClient, pool: Pool) -> None:
    ann, role = await admin.as_new_user("Ann"), await admin.made("/roles", {"name": "A", "permissions": ["gap:read"]})
    await admin.put(f"/roles/{role['id']}/holders/{ann.user['id']}", {})
    async with transaction(pool) as connection:
        await connection.execute("update roles set permissions = '{gap:read,moon:read,token:create}'")
    me = (await ann.get("/me")).json
    assert {*me["permissions"]} - permissions_of("member") == {"gap:read"}
    assert (await ann.post("/tokens", {"name": "x"})).status == 403
    renamed = (await admin.patch(f"/roles/{role['id']}", {"name": "B"})).json
    assert renamed["permissions"] == ["gap:read", "moon:read", "token:create"]


async def test_a_body_that_is_slow_to_come_gives_nothing_that_its_sender_lost_meanwhile(
    admin: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BODY_WITHIN_S", 60.0)
    bea, role = await admin.as_new_user("Bea", "admin"), await admin.made("/roles", {"name": "A"})
    demoted = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await demoted.wait()
        yield b"}"

    async def give() -> int:
        url = f"{admin.url}/api/v1/roles/{role['id']}/holders/{bea.user['id']}"
        headers = {"Authorization": f"Bearer {bea.token}", "If-Match": "*", "Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession() as session,
            session.put(url, data=slowly(), headers=headers) as answer,
        ):
            return answer.status

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        given = group.create_task(give())
        while (await admin.items(f"/tokens?user_id={bea.user['id']}"))[0]["last_used_at"] is None:  # noqa: ASYNC110 - nobody tells that she was let in
            await asyncio.sleep(0.02)
        assert (await admin.patch(f"/users/{bea.user['id']}", {"role": "member"})).status == 200
        demoted.set()
    assert given.result() == 403
    assert await admin.items(f"/roles/{role['id']}/holders") == []
