"""Through which installation an entry's tools are found: chosen by itself, replaced when it goes, or by an admin."""

from __future__ import annotations

from typing import Any

import pytest

from core.identifiers import new_id
from core.probes import Probe
from tests.control.registry_api import JSON, Api, api
from tests.fixtures_admin import AdminClient

__all__ = ["api"]

STATIC = {"credential_model": "static", "credential_placement": {"style": "bearer"}}


async def discovered_through(api: Api, entry: JSON) -> str | None:
    """The name of the installation."""
    through = (await api.get(f"/entries/{entry['id']}"))["discovery_installation_id"]
    seen = (await api.get("/installations"))["items"]
    assert [one["id"] for one in seen if one["discovers"]] == ([through] if through else [])
    return next((one["name"] for one in seen if one["id"] == through), None)


async def tools_of(api: Api, entry: JSON) -> set[str]:
    return {
        one["name"] for one in (await api.get(f"/entries/{entry['id']}/tools"))["items"] if not one["missing_since"]
    }


async def installed_by_all(api: Api, entry: JSON) -> dict[str, Any]:
    """One of a person first, then one of their team, then one of the organisation."""
    team = await api.team("Support")
    anna = await api.user("anna", team)
    await api.install(entry, as_=anna, scope="personal", name="anna's")
    await api.install(entry, scope="team", team_id=team["id"], name="the team's")
    await api.install(entry, name="ours")
    return {"team": team, "anna": anna}


async def test_the_first_that_is_ready_is_taken_and_stays(api: Api) -> None:
    entry = await api.entry()
    assert await discovered_through(api, entry) is None
    api.proxy.answer = Probe(fault="upstream_refused", sentence="time cannot be reached.")
    await api.install(entry, name="away")
    assert await discovered_through(api, entry) is None
    api.proxy.offers("now")
    await api.install(entry, name="first")
    await api.install(entry, name="second")
    assert await discovered_through(api, entry) == "first"


async def test_what_another_account_sees_changes_nothing_of_the_entry(api: Api) -> None:
    entry = await api.entry()
    await api.install(entry, name="ours")
    api.proxy.offers("now", "of_this_account_alone")
    other = await api.install(entry, name="other")
    assert (other["state"], other["server"]["tools"]) == ("ready", 2)
    assert await tools_of(api, entry) == {"now", "convert"}
    (ours,) = (await api.get("/installations?name=ours"))["items"]
    await api.post(f"/installations/{ours['id']}/discover", expect=200)
    assert await tools_of(api, entry) == {"now", "of_this_account_alone"}


@pytest.mark.parametrize("goes", ["deleted", "disabled", "user deleted"])
async def test_where_it_goes_with_its_owner_the_organisation_s_is_taken(api: Api, goes: str) -> None:
    entry = await api.entry()
    people = await installed_by_all(api, entry)
    assert await discovered_through(api, entry) == "anna's"
    user = f"/users/{people['anna'].user['id']}"
    if goes == "deleted":
        (hers,) = (await api.get("/installations?scope=personal"))["items"]
        await api.delete(f"/installations/{hers['id']}")
    elif goes == "disabled":
        await api.post(f"{user}/disable", expect=200)
    else:
        await api.delete(user)
    assert await discovered_through(api, entry) == "ours"


async def test_of_those_that_are_ready_a_team_s_goes_before_a_person_s_and_nobody_s_who_is_shut_out(api: Api) -> None:
    entry = await api.entry()
    people = await installed_by_all(api, entry)
    ben = await api.user("ben")
    await api.install(entry, as_=ben, scope="personal", name="ben's")
    await api.post(f"/users/{people['anna'].user['id']}/disable", expect=200)
    (ours,) = (await api.get("/installations?name=ours"))["items"]
    await api.delete(f"/installations/{ours['id']}")
    assert await discovered_through(api, entry) == "the team's"
    await api.delete(f"/teams/{people['team']['id']}")
    assert await discovered_through(api, entry) == "ben's"
    await api.delete(f"/users/{ben.user['id']}")
    assert await discovered_through(api, entry) is None


async def test_one_whose_credential_is_good_no_more_is_replaced_by_the_next_that_is_ready(api: Api) -> None:
    entry = await api.entry(**STATIC)
    spent = await api.install(entry, name="spent", credential="k")
    other = await api.install(entry, name="other", credential="k")
    api.proxy.answer = Probe(fault="upstream_credential", sentence="401.")
    await api.post(f"/installations/{spent['id']}/discover", expect=200)
    assert await discovered_through(api, entry) == "spent"
    api.proxy.offers("now", "new")
    await api.post(f"/installations/{other['id']}/discover", expect=200)
    assert await discovered_through(api, entry) == "other"
    assert await tools_of(api, entry) == {"now", "new"}


async def test_a_server_that_is_away_for_a_while_keeps_it(api: Api) -> None:
    entry = await api.entry()
    ours, other = [await api.install(entry, name=name) for name in ("ours", "other")]
    api.proxy.answer = Probe(fault="upstream_refused", sentence="away")
    await api.post(f"/installations/{ours['id']}/discover", expect=200)
    api.proxy.offers("now")
    await api.post(f"/installations/{other['id']}/discover", expect=200)
    assert await discovered_through(api, entry) == "ours"


async def test_an_admin_chooses_it_and_lets_it_be_chosen_again(api: Api) -> None:
    entry = await api.entry()
    await installed_by_all(api, entry)
    path = f"/entries/{entry['id']}"
    (team_s,) = (await api.get("/installations?scope=team"))["items"]
    now = await api.patch(path, {"discovery_installation_id": team_s["id"], "description": "The time."})
    assert (now["discovery_installation_id"], now["description"]) == (team_s["id"], "The time.")
    assert await discovered_through(api, entry) == "the team's"
    lines = (await api.get(f"/audit?object_id={entry['id']}&action=update"))["items"]
    changed = [
        (one["before"]["discovery_installation_id"], one["after"]["discovery_installation_id"]) for one in lines
    ]
    assert changed[-1][1] == team_s["id"] != changed[-1][0]
    await api.patch(path, {"discovery_installation_id": None})
    assert await discovered_through(api, entry) == "ours"


async def test_what_is_no_installation_of_the_entry_cannot_be_chosen(api: Api) -> None:
    entry, other = await api.entry(), await api.entry(slug="other")
    elsewhere = await api.install(other)
    for wrong in (elsewhere["id"], new_id()):
        problem = await api.patch(f"/entries/{entry['id']}", {"discovery_installation_id": wrong}, expect=422)
        assert problem["errors"][0]["field"] == "discovery_installation_id"


async def chosen_by(api: Api, by: AdminClient, entry: JSON, installation: JSON) -> int:
    path = f"/entries/{entry['id']}"
    answer = await by.send("PATCH", path, {"discovery_installation_id": installation["id"]}, match="*")
    return answer.status


async def test_a_team_s_entry_is_looked_after_by_its_editors_who_choose_none_of_another_s(api: Api) -> None:
    team = await api.team("Support")
    lena, anna = await api.user("lena", team, role="editor"), await api.user("anna", team)
    entry = await api.entry(team_id=team["id"])
    theirs = await api.install(entry, scope="team", team_id=team["id"])
    hers = await api.install(entry, as_=anna, scope="personal")
    assert await chosen_by(api, lena, entry, theirs) == 200
    assert await chosen_by(api, lena, entry, hers) == 422
    assert await chosen_by(api, anna, entry, theirs) == 403
