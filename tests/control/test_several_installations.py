"""Several installations of one entry and owner: told apart by name, and one of them the default."""

from __future__ import annotations

import pytest

from control.store.migrate import FOLDER
from control.store.pool import transaction
from tests.control.registry_api import JSON, Api, api

__all__ = ["api"]


async def seen(api: Api, query: str = "") -> dict[str, bool]:
    """Of each installation: whether it is the default."""
    return {one["name"]: one["default"] for one in (await api.get(f"/installations{query}"))["items"]}


async def found(api: Api, text: str) -> list[str]:
    return [one["name"] for one in (await api.get(f"/installations?name={text}"))["items"]]


async def test_of_each_owner_the_first_is_the_default_until_another_is_made_it(api: Api) -> None:
    entry, team, anna = await api.entry(slug="crm", name="CRM"), await api.team("Support"), await api.user("anna")
    owners: list[JSON] = [{}, {"scope": "team", "team_id": team["id"]}, {"scope": "personal", "as_": anna}]
    for number, owner in enumerate(owners):
        first = await api.install(entry, name=f"live {number}", **owner)
        second = await api.install(entry, name=f"staging {number}", **owner)
        assert (first["default"], second["default"]) == (True, False)
        as_ = owner.get("as_")
        moved = await api.call(
            "PATCH", f"/installations/{second['id']}", {"default": True}, as_=as_, expect=200, tag="*"
        )
        assert moved["default"]
    assert await seen(api) == {
        **{f"live {number}": False for number in range(3)}, **{f"staging {number}": True for number in range(3)},
    }  # fmt: skip


async def test_a_new_one_may_come_as_the_default(api: Api) -> None:
    entry = await api.entry()
    await api.install(entry, name="old")
    assert (await api.install(entry, name="new", default=True))["default"]
    assert await seen(api) == {"old": False, "new": True}


async def test_the_default_is_given_to_another_and_not_taken_away(api: Api) -> None:
    made = await api.install(await api.entry())
    problem = await api.patch(f"/installations/{made['id']}", {"default": False}, expect=422)
    assert problem["errors"][0]["message"].endswith("make another installation of this owner the default")


async def test_where_the_default_is_deleted_the_oldest_other_one_of_its_owner_takes_its_place(api: Api) -> None:
    entry, team = await api.entry(), await api.team("Support")
    first = await api.install(entry, name="first")
    for name in ("second", "third"):
        await api.install(entry, name=name)
    await api.install(entry, name="of the team", scope="team", team_id=team["id"])
    await api.events()
    await api.delete(f"/installations/{first['id']}")
    assert await seen(api) == {"second": True, "third": False, "of the team": True}
    (second,) = (await api.get("/installations?name=second"))["items"]
    assert await api.events() == [("installation", first["id"]), ("installation", second["id"])]
    line = (await api.get(f"/audit?object_id={second['id']}"))["items"][0]
    assert (line["before"]["default"], line["after"]["default"]) == (False, True)


async def test_another_default_is_news_for_those_whom_it_serves(api: Api) -> None:
    entry, anna = await api.entry(), await api.user("anna")
    for owner in ({}, {"scope": "personal", "as_": anna}):
        await api.install(entry, name="first", **owner)
        second = await api.install(entry, name="second", **owner)
        await api.events()
        path = f"/installations/{second['id']}"
        await api.call("PATCH", path, {"default": True}, as_=owner.get("as_"), expect=200, tag="*")
        concerned = ("user", anna.user["id"]) if owner else ("entry", entry["id"])
        assert sorted(await api.events()) == sorted([("installation", second["id"]), concerned])


async def test_an_address_names_the_default_and_with_a_name_behind_it_the_others(api: Api) -> None:
    entry, team = await api.entry(slug="crm", name="CRM"), await api.team("Support")
    owner = {"scope": "team", "team_id": team["id"]}
    live = await api.install(entry, **owner)
    staging = await api.install(entry, name="staging", **owner)
    assert (live["address"], staging["address"]) == ("crm@Support", "crm@Support/staging")
    assert await found(api, "crm@support") == ["crm@Support"]
    for text in ("crm@Support/staging", "CRM@support/Staging", "staging"):
        assert await found(api, text) == ["staging"]
    await api.patch(f"/installations/{staging['id']}", {"default": True})
    # The other one keeps its own name, which is the address of the default now: the address goes before.
    assert await found(api, "crm@Support") == ["staging"]
    assert await found(api, "crm@Support/crm@Support") == ["crm@Support"]
    assert await found(api, "crm@Support/none") == []


async def test_an_address_that_could_be_meant_in_two_ways_finds_both_and_pins_neither(api: Api) -> None:
    entry = await api.entry(slug="crm")
    support, of_staging = await api.team("Support"), await api.team("Support/staging")
    for team, name in ((support, "live"), (support, "staging"), (of_staging, "theirs")):
        await api.install(entry, name=name, scope="team", team_id=team["id"])
    assert await found(api, "crm@Support/staging") == ["staging", "theirs"]
    problem = await api.assign(await api.gateway(), entry, installation="crm@Support/staging", expect=422)
    assert problem["errors"][0]["message"].startswith("names several: crm@Support/staging (")


@pytest.mark.parametrize("text", ["crm@organisation/staging", "crm@organization/staging"])
async def test_a_tool_is_pinned_to_one_that_is_not_the_default_by_its_address(api: Api, text: str) -> None:
    entry = await api.entry(slug="crm")
    await api.install(entry)
    staging = await api.install(entry, name="staging")
    made = await api.assign(await api.gateway(), entry, tools=["now"], installation=text)
    assert made["items"][0]["installation_id"] == staging["id"]


async def test_a_team_s_installation_needs_the_permission_to_share(api: Api) -> None:
    entry, team = await api.entry(), await api.team("Support")
    anna = await api.user("anna", team)
    asked = {"scope": "team", "team_id": team["id"], "as_": anna}
    problem = await api.install(entry, **asked, expect=403)
    assert problem["detail"].startswith("This needs installation:share (")
    role = await api.post("/roles", {"name": "Sharer", "permissions": ["installation:share"]})
    path = f"/roles/{role['id']}/holders/{anna.user['id']}"
    await api.call("PUT", path, {"team_id": team["id"]}, expect=200, tag="*")
    await api.install(entry, **asked)
    await api.install(entry, as_=anna, expect=403)


async def test_before_this_version_the_oldest_was_meant_and_roles_installed_for_others_by_another_name(
    api: Api,
) -> None:
    entry, team = await api.entry(), await api.team("Support")
    role = await api.post("/roles", {"name": "R", "permissions": ["installation:create", "installation:read"]})
    for name, owner in (("a", {}), ("b", {}), ("c", {}), ("d", {"scope": "team", "team_id": team["id"]})):
        await api.install(entry, name=name, **owner)
    migration = (FOLDER / "0020_several_installations.sql").read_text()
    async with transaction(api.pool) as connection:
        await connection.execute("drop index installations_one_default; alter table installations drop is_default")
        await connection.execute("alter table entries drop discovery_installation_id")
        await connection.execute("create index installations_one_personal on installations (user_id)")
        await connection.execute("create index installations_one_team on installations (team_id)")
        await connection.execute("update installations set created_at = '2020-01-01Z' where name = 'b'")
        await connection.execute(migration)
    await api.pool.expire_connections()  # what they have prepared is of the schema of then
    assert await seen(api) == {"a": False, "b": True, "c": False, "d": True}
    assert [one["name"] for one in (await api.get("/installations"))["items"] if one["discovers"]] == ["b"]
    now = await api.get(f"/roles/{role['id']}")
    assert now["permissions"] == ["installation:read", "installation:share"]


async def test_how_an_installation_stands_is_told_in_words(api: Api) -> None:
    entry = await api.entry()
    made = await api.install(entry)
    assert made["standing"] == {"word": "ready", "cause": "", "cure": ""}
    api.proxy.offers("now", "convert")
    tools: list[dict[str, object]] = api.proxy.answer.tools
    tools[0]["description"] = "Now something else."
    again = await api.post(f"/installations/{made['id']}/discover", expect=200)
    assert again["standing"]["word"] == "tools_changed"
    assert again["standing"]["cause"] == "1 tool of time changed since somebody approved them: now."
    listed = (await api.get("/installations"))["items"][0]
    assert listed["standing"] == (await api.get(f"/installations/{made['id']}"))["standing"] == again["standing"]
    (now,) = [one for one in (await api.get(f"/entries/{entry['id']}/tools"))["items"] if one["name"] == "now"]
    await api.patch(f"/entries/{entry['id']}/tools/{now['id']}", {"acknowledged": True})
    assert (await api.patch(f"/installations/{made['id']}", {"name": "x"}))["standing"]["word"] == "ready"
