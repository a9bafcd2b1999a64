"""Gateways through the admin API: who sees and changes them, and when they are usable."""

import pytest

from tests.control.registry_api import Api, api

__all__ = ["api"]


async def test_a_gateway_is_shown_with_what_a_client_needs(api: Api) -> None:
    made = await api.gateway(description="Clocks.", labels={"area": "clock"})
    assert made == await api.get(f"/gateways/{made['id']}")
    assert made["connect"]["url"] == "https://tools.example.com/v1/mcp/desk"
    assert made["connect"]["client_config"]["mcpServers"]["desk"]["url"] == made["connect"]["url"]
    assert made["client_auth"] == ["token", "oauth"]


async def test_a_gateway_is_usable_once_it_has_a_callable_tool(api: Api) -> None:
    entry = await api.entry()
    installed = await api.install(entry)
    gateway = await api.gateway()
    assert not gateway["usable"]
    assert gateway["reasons"] == ["No tool is assigned; assign at least one."]
    await api.assign(gateway, entry, installation=installed["id"])
    assert (await api.get(f"/gateways/{gateway['id']}"))["usable"]


async def test_a_gateway_that_nobody_sees_says_so(api: Api) -> None:
    empty = await api.team("empty")
    gateway = await api.gateway(visibility="teams", teams=[empty["id"]])
    assert any("Nobody can see it" in reason for reason in gateway["reasons"])
    await api.user("anna", empty)
    again = await api.get(f"/gateways/{gateway['id']}")
    assert not any("Nobody can see it" in reason for reason in again["reasons"])


async def test_tools_that_cannot_be_called_are_warned_of(api: Api) -> None:
    entry = await api.entry(credential_model="static", credential_placement={"style": "bearer"})
    installed = await api.install(entry, credential="k")
    gateway = await api.gateway()
    await api.assign(gateway, entry, installation=installed["id"])
    await api.patch(f"/entries/{entry['id']}", {"url": "https://elsewhere.example/mcp"})
    judged = await api.get(f"/gateways/{gateway['id']}")
    assert not judged["usable"]
    assert "waiting for its credential" in judged["warnings"][0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "Desk"}, "slug"),
        ({"slug": "0198d2a0-0000-7000-8000-000000000000"}, "slug"),
        ({"visibility": "teams"}, "teams"),
        ({"visibility": "organisation", "teams": ["0198d2a0-0000-7000-8000-000000000000"]}, "teams"),
        ({"owner_id": "0198d2a0-0000-7000-8000-000000000000"}, "owner_id"),
        ({"header_allowlist": ["x-ok", "Authorization"]}, "header_allowlist[1]"),
        ({"header_allowlist": ["x_user"]}, "header_allowlist[0]"),
        ({"name": " "}, "name"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, changes: dict[str, object], field: str) -> None:
    problem = await api.post("/gateways", {"slug": "desk", "name": "Desk", **changes}, expect=422)
    assert problem["errors"][0]["field"] == field


async def test_the_allowlist_is_stored_in_lower_case(api: Api) -> None:
    assert (await api.gateway(header_allowlist=["X-Tenant", "x-tenant"]))["header_allowlist"] == ["x-tenant"]


async def test_a_member_sees_what_is_shown_to_them(api: Api) -> None:
    blue, red = await api.team("blue"), await api.team("red")
    anna = await api.user("anna", blue)
    await api.gateway(slug="all")
    await api.gateway(slug="blue", visibility="teams", teams=[blue["id"]])
    hidden = await api.gateway(slug="red", visibility="teams", teams=[red["id"]])
    await api.gateway(slug="admins-own", visibility="personal")
    assert [one["slug"] for one in (await api.get("/gateways", as_=anna))["items"]] == ["all", "blue"]
    await api.get(f"/gateways/{hidden['id']}", as_=anna, expect=404)
    await api.get(f"/gateways/{hidden['id']}/assignments", as_=anna, expect=404)


async def test_a_member_makes_personal_gateways_of_their_own_and_no_others(api: Api) -> None:
    anna, ben = await api.user("anna"), await api.user("ben")
    await api.post("/gateways", {"slug": "x", "name": "X"}, as_=anna, expect=403)
    stolen = {"slug": "x", "name": "X", "visibility": "personal", "owner_id": ben.user["id"]}
    await api.post("/gateways", stolen, as_=anna, expect=403)
    hers = await api.gateway(as_=anna, visibility="personal")
    path = f"/gateways/{hers['id']}"
    assert hers["owner_id"] == anna.user["id"]
    await api.get(path, as_=ben, expect=404)
    assert (await api.patch(path, {"name": "Mine"}, as_=anna))["name"] == "Mine"
    await api.patch(path, {"visibility": "organisation"}, as_=anna, expect=403)
    await api.patch(path, {"owner_id": ben.user["id"]}, as_=anna, expect=403)
    await api.delete(path, as_=anna)


async def test_a_member_changes_no_gateway_of_others(api: Api) -> None:
    anna = await api.user("anna")
    gateway, entry = await api.gateway(), await api.entry()
    await api.install(entry)
    await api.patch(f"/gateways/{gateway['id']}", {"name": "x"}, as_=anna, expect=403)
    await api.delete(f"/gateways/{gateway['id']}", as_=anna, expect=403)
    await api.assign(gateway, entry, as_=anna, expect=403)


async def test_each_write_raises_the_revision_and_tells_the_proxies(api: Api) -> None:
    made = await api.gateway()
    assert await api.events() == [("gateway", made["id"])]
    changed = await api.patch(f"/gateways/{made['id']}", {"header_allowlist": ["x-tenant"]})
    assert changed["revision"] == made["revision"] + 1
    assert await api.events() == [("gateway", made["id"])]
    await api.delete(f"/gateways/{made['id']}")
    async with api.pool.acquire() as connection:
        gone = await connection.fetchrow("select name, revision from outbox where kind = 'gateway'")
    assert (gone["name"], gone["revision"]) == (made["id"], -1)
    actions = [line["action"] for line in (await api.get(f"/audit?object_id={made['id']}"))["items"]]
    assert actions == ["delete", "update", "create"]


async def test_a_change_of_visibility_drops_the_parts_that_no_longer_fit(api: Api) -> None:
    blue = await api.team("blue")
    gateway = await api.gateway(visibility="teams", teams=[blue["id"]])
    open_to_all = await api.patch(f"/gateways/{gateway['id']}", {"visibility": "organisation"})
    assert open_to_all["teams"] == []
    own = await api.patch(f"/gateways/{gateway['id']}", {"visibility": "personal"})
    assert own["owner_id"] == api.admin.user["id"]


async def test_a_gateway_with_somebodys_own_credential_is_not_opened_to_others(api: Api) -> None:
    entry = await api.entry()
    installed = await api.install(entry, scope="personal")
    gateway = await api.gateway(visibility="personal")
    await api.assign(gateway, entry, installation=installed["id"])
    problem = await api.patch(f"/gateways/{gateway['id']}", {"visibility": "organisation"}, expect=422)
    assert problem["errors"][0]["field"] == "visibility"
    anna = await api.user("anna")
    await api.patch(f"/gateways/{gateway['id']}", {"owner_id": anna.user["id"]}, expect=422)


async def test_a_taken_slug_is_a_conflict(api: Api) -> None:
    await api.gateway()
    problem = await api.post("/gateways", {"slug": "desk", "name": "Other"}, expect=409)
    assert problem["errors"][0]["field"] == "slug"


async def test_an_admin_who_sees_a_gateway_and_may_not_call_it_is_told_why(api: Api) -> None:
    team = await api.team("ops")
    ann = await api.user("ann", team)
    ours = await api.gateway(visibility="teams", teams=[team["id"]])
    hers = await api.gateway(as_=ann, slug="hers", visibility="personal")
    notes = {one["slug"]: one["notes"] for one in (await api.get("/gateways"))["items"]}
    assert "You are in none of its teams" in notes["desk"][0]
    assert "belongs to another person" in notes["hers"][0]
    for gateway in (ours, hers):
        assert (await api.get(f"/gateways/{gateway['id']}", as_=ann))["notes"] == []
    assert (await api.gateway(slug="all"))["notes"] == []


async def test_a_personal_gateway_cannot_be_left_without_an_owner(api: Api) -> None:
    ann = await api.user("ann")
    gateway = await api.gateway(visibility="personal", owner_id=ann.user["id"])
    path = f"/gateways/{gateway['id']}"
    problem = await api.patch(path, {"owner_id": None}, expect=422)
    assert [one["field"] for one in problem["errors"]] == ["owner_id"]
    assert (await api.get(path))["owner_id"] == ann.user["id"]
    opened = await api.patch(path, {"visibility": "organisation", "owner_id": None})
    assert (opened["visibility"], opened["owner_id"]) == ("organisation", None)
