"""What installations are called: their own names, and ENTRY@OWNER wherever an installation is asked for."""

import pytest

from tests.control.registry_api import Api, api

__all__ = ["api"]


async def names(api: Api, text: str) -> list[str]:
    return [one["address"] for one in (await api.get(f"/installations?name={text}"))["items"]]


async def test_each_owner_of_an_entry_gets_an_installation_with_a_name_of_its_own(api: Api) -> None:
    entry, anna = await api.entry(slug="crm", name="CRM"), await api.user("anna")
    support, sales = await api.team("Support"), await api.team("Sales")
    made = [
        await api.install(entry),
        await api.install(entry, scope="team", team_id=support["id"]),
        await api.install(entry, scope="team", team_id=sales["id"]),
        await api.install(entry, as_=anna, scope="personal"),
    ]
    email = anna.user["email"]
    assert [one["name"] for one in made] == ["CRM", "crm@Support", "crm@Sales", f"crm@{email}"]
    assert [one["owner"] for one in made] == ["organisation", "Support", "Sales", email]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("crm@Support", "crm@Support"),
        ("CRM@support", "crm@Support"),
        ("crm@organisation", "crm@organisation"),
        ("crm@organization", "crm@organisation"),
        ("The shared CRM", "crm@organisation"),
        ("crm@anna@example.com", "crm@anna@example.com"),
        ("crm@anna", "crm@anna@example.com"),
    ],
)
async def test_an_installation_is_found_by_its_name_and_by_its_entry_with_its_owner(
    api: Api, text: str, found: str
) -> None:
    entry, anna = await api.entry(slug="crm", name="CRM"), await api.user("anna")
    team = await api.team("Support")
    await api.install(entry, name="The shared CRM")
    await api.install(entry, scope="team", team_id=team["id"])
    await api.install(entry, as_=anna, scope="personal")
    assert await names(api, text.replace(" ", "%20")) == [found]


@pytest.mark.parametrize("text", ["crm@Sales", "crm@", "@Support", "other@Support", "crm", "%25"])
async def test_what_names_no_installation_finds_none(api: Api, text: str) -> None:
    team = await api.team("Support")
    await api.install(await api.entry(slug="crm", name="CRM"), scope="team", team_id=team["id"])
    assert await names(api, text) == []


async def test_a_name_finds_no_installation_that_the_caller_may_not_see(api: Api) -> None:
    entry, team = await api.entry(slug="crm"), await api.team("Support")
    await api.install(entry, scope="team", team_id=team["id"])
    anna, ben = await api.user("anna", team), await api.user("ben")
    assert len((await api.get("/installations?name=crm@Support", as_=anna))["items"]) == 1
    assert (await api.get("/installations?name=crm@Support", as_=ben))["items"] == []


async def test_an_owners_other_name_is_in_the_address_and_what_was_given_stays(api: Api) -> None:
    team = await api.team("Support")
    made = await api.install(await api.entry(slug="crm"), scope="team", team_id=team["id"])
    await api.patch(f"/teams/{team['id']}", {"name": "Help"})
    now = await api.get(f"/installations/{made['id']}")
    assert (now["name"], now["owner"], now["address"]) == ("crm@Support", "Help", "crm@Help")
    assert await names(api, "crm@Help") == await names(api, "crm@Support") == ["crm@Help"]


@pytest.mark.parametrize("pin", ["crm@Support", "crm@support", "Desk of support", None])
async def test_a_tool_is_pinned_by_name_or_address_as_by_identifier(api: Api, pin: str | None) -> None:
    entry, team = await api.entry(slug="crm"), await api.team("Support")
    lead = await api.user("lena", team, role="admin")
    mine = await api.install(entry, as_=lead, scope="team", team_id=team["id"], name="Desk of support")
    await api.install(entry)
    made = await api.assign(await api.gateway(), entry, tools=["now"], installation=pin or mine["id"])
    assert made["items"][0]["installation_id"] == mine["id"]
    path = f"/gateways/{made['items'][0]['gateway_id']}/assignments/{made['items'][0]['id']}"
    assert (await api.patch(path, {"installation": None}))["installation_id"] is None
    assert (await api.patch(path, {"installation": pin or mine["id"]}))["installation_id"] == mine["id"]


async def test_a_pin_that_names_nothing_or_several_says_so(api: Api) -> None:
    entry, gateway = await api.entry(slug="crm"), await api.gateway()
    for name in ("Support", "Help"):
        team = await api.team(name)
        await api.install(entry, scope="team", team_id=team["id"], name="Ours")
    nothing = await api.assign(gateway, entry, installation="crm@Nobody", expect=422)
    assert nothing["errors"][0]["message"].startswith("names no installation")
    several = await api.assign(gateway, entry, installation="ours", expect=422)
    assert several["errors"][0]["field"] == "installation"
    assert "crm@Help" in several["detail"]
    assert "crm@Support" in several["detail"]


async def test_of_two_entries_installations_of_one_name_the_assigned_entrys_is_meant(api: Api) -> None:
    clock, crm = await api.entry(slug="clock"), await api.entry(slug="crm")
    await api.install(clock, name="Ours")
    wanted = await api.install(crm, name="Ours")
    made = await api.assign(await api.gateway(), crm, installation="Ours")
    assert {one["installation_id"] for one in made["items"]} == {wanted["id"]}


async def test_a_second_installation_of_one_owner_and_name_is_refused_once_and_plainly(api: Api) -> None:
    entry, team, anna = await api.entry(slug="crm", name="CRM"), await api.team("Support"), await api.user("anna")
    first = await api.install(entry)
    second = await api.install(entry, scope="team", team_id=team["id"])
    third = await api.install(entry, as_=anna, scope="personal", name="Mine")
    refused = [
        await api.install(entry, expect=409, name="crm"),
        await api.install(entry, expect=409, scope="team", team_id=team["id"]),
        await api.install(entry, expect=409, as_=anna, scope="personal", name="MINE"),
    ]
    cure = "change that one, or give this one a name of its own"
    assert [one["detail"] for one in refused] == [
        f"name: 'CRM' is the name of an installation of crm that the organisation has ({first['id']}); {cure}",
        f"name: 'crm@Support' is the name of an installation of crm that Support has ({second['id']}); {cure}",
        f"name: 'Mine' is the name of an installation of crm that anna@example.com has ({third['id']}); {cure}",
    ]
    for problem in refused:
        (error,) = problem["errors"]
        assert problem["detail"] == f"{error['field']}: {error['message']}"
