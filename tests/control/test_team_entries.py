"""A team defines what its people may install: entries that belong to a team, over the admin API."""

from __future__ import annotations

from typing import Any

import pytest

from control.store.pool import Pool, transaction
from tests.control.registry_api import JSON, Api, api
from tests.fixtures_admin import AdminClient

__all__ = ["api"]
BUGS = {"slug": "bugs", "name": "Bugs", "url": "https://bugs.example/mcp"}


@pytest.fixture
async def red(api: Api) -> JSON:
    return await api.team("Red")


@pytest.fixture
async def eve(api: Api, red: JSON) -> AdminClient:
    """An editor of the team Red, and nothing else."""
    return await api.user("Eve", red, role="editor")


@pytest.fixture
async def bugs(api: Api, red: JSON, eve: AdminClient) -> JSON:
    """An entry of the team Red."""
    found: JSON = await api.post("/entries", {**BUGS, "team_id": red["id"]}, as_=eve)
    return found


async def test_an_editor_of_a_team_makes_changes_and_deletes_its_entries(
    api: Api, red: JSON, eve: AdminClient, bugs: JSON
) -> None:
    assert (bugs["team_id"], bugs["visibility"], bugs["teams"]) == (red["id"], "teams", [red["id"]])
    path = f"/entries/{bugs['id']}"
    assert (await api.patch(path, {"name": "Faults"}, as_=eve))["name"] == "Faults"
    await api.delete(path, as_=eve)


async def test_an_editor_of_a_team_makes_no_entry_of_another_or_of_the_organisation(
    api: Api, eve: AdminClient
) -> None:
    blue = await api.team("Blue")
    for team_id in (None, blue["id"]):
        refused = await api.post("/entries", {**BUGS, "team_id": team_id}, as_=eve, expect=403)
        assert "An editor of a team may make entries that belong to it" in refused["detail"]
    ours = await api.entry()
    await api.call("PATCH", f"/entries/{ours['id']}", {"name": "x"}, as_=eve, expect=403, tag="*")
    hidden = await api.entry(slug="hidden", visibility="teams", teams=[blue["id"]])
    await api.call("DELETE", f"/entries/{hidden['id']}", as_=eve, expect=404, tag="*")


async def test_an_entry_that_is_only_shown_to_a_team_is_not_its_editors(
    api: Api, red: JSON, eve: AdminClient
) -> None:
    shown = await api.entry(visibility="teams", teams=[red["id"]])
    await api.call(
        "PATCH", f"/entries/{shown['id']}", {"url": "https://elsewhere.example"}, as_=eve, expect=403, tag="*"
    )


async def test_members_see_and_install_it_and_nobody_else_does(api: Api, red: JSON, bugs: JSON) -> None:
    ann, bob = await api.user("Ann", red), await api.user("Bob")
    await api.get(f"/entries/{bugs['id']}", as_=ann)
    await api.install(bugs, as_=ann, scope="personal")
    await api.get(f"/entries/{bugs['id']}", as_=bob, expect=404)
    await api.install(bugs, as_=bob, scope="personal", expect=422)
    await api.call("PATCH", f"/entries/{bugs['id']}", {"name": "x"}, as_=ann, expect=403, tag="*")
    await api.call("PATCH", f"/entries/{bugs['id']}", {"name": "x"}, as_=bob, expect=403, tag="*")


@pytest.mark.parametrize("shown", [{"visibility": "organisation"}, {"teams": []}, {"visibility": "teams"}])
async def test_it_is_shown_to_its_team_alone(api: Api, red: JSON, eve: AdminClient, shown: dict[str, Any]) -> None:
    refused = await api.post("/entries", {**BUGS, "team_id": red["id"], **shown}, as_=eve, expect=422)
    assert "teams" in {error["field"] for error in refused["errors"]}


async def test_it_is_not_shown_to_others_by_a_change(api: Api, eve: AdminClient, bugs: JSON) -> None:
    blue = await api.team("Blue")
    for change in ({"visibility": "organisation"}, {"teams": [bugs["team_id"], blue["id"]]}):
        await api.patch(f"/entries/{bugs['id']}", change, as_=eve, expect=422)


async def test_it_is_installed_for_its_team_and_for_nobody_elses_credential(
    api: Api, eve: AdminClient, bugs: JSON
) -> None:
    blue = await api.team("Blue")
    await api.install(bugs, as_=eve, scope="team", team_id=bugs["team_id"])
    for wanted in ({"scope": "organisation"}, {"scope": "team", "team_id": blue["id"]}):
        await api.install(bugs, expect=422, **wanted)


async def test_its_tools_are_shown_on_gateways_that_nobody_else_calls(
    api: Api, red: JSON, eve: AdminClient, bugs: JSON
) -> None:
    await api.install(bugs, as_=eve, scope="team", team_id=red["id"])
    await api.assign(await api.gateway(), bugs, expect=422)
    of_red = await api.gateway(slug="red", visibility="teams", teams=[red["id"]])
    await api.assign(of_red, bugs)
    refused = await api.patch(f"/gateways/{of_red['id']}", {"visibility": "organisation"}, expect=422)
    assert "bugs__" in refused["detail"]
    await api.assign(await api.gateway(as_=eve, slug="mine", visibility="personal"), bugs, as_=eve)


async def test_who_keeps_the_organisations_entries_takes_one_over(api: Api, eve: AdminClient, bugs: JSON) -> None:
    path = f"/entries/{bugs['id']}"
    await api.patch(path, {"team_id": None}, as_=eve, expect=403)
    taken = await api.patch(path, {"team_id": None, "visibility": "organisation"})
    assert (taken["team_id"], taken["visibility"], taken["teams"]) == (None, "organisation", [])
    await api.patch(path, {"name": "x"}, as_=eve, expect=403)
    await api.assign(await api.gateway(), bugs, expect=409)  # no tools yet; the gateway may show them
    await api.patch(path, {"team_id": bugs["team_id"]}, expect=422)


async def test_an_editor_of_the_team_puts_its_tools_into_quarantine_and_no_others(
    api: Api, red: JSON, eve: AdminClient, bugs: JSON
) -> None:
    ours = await api.entry()
    await api.install(bugs, as_=eve, scope="team", team_id=red["id"])
    await api.install(ours)
    for entry, expected in ((bugs, 200), (ours, 403)):
        (first, *_) = (await api.get(f"/entries/{entry['id']}/tools"))["items"]
        path = f"/entries/{entry['id']}/tools/{first['id']}"
        await api.call("PATCH", path, {"state": "quarantined"}, as_=eve, expect=expected, tag="*")


async def test_where_the_team_goes_its_entries_become_the_organisations_and_are_shown_to_nobody(
    api: Api, red: JSON, eve: AdminClient, bugs: JSON
) -> None:
    await api.delete(f"/teams/{red['id']}")
    left = await api.get(f"/entries/{bugs['id']}")
    assert (left["team_id"], left["visibility"], left["teams"]) == (None, "teams", [])
    await api.get(f"/entries/{bugs['id']}", as_=eve, expect=404)


async def test_a_set_with_entry_create_for_one_team_is_enough(api: Api, red: JSON) -> None:
    ann = await api.user("Ann", red)
    role = await api.post("/roles", {"name": "Curator", "permissions": ["entry:create"]})
    path = f"/roles/{role['id']}/holders/{ann.user['id']}"
    await api.call("PUT", path, {"team_id": red["id"]}, expect=200, tag="*")
    made = await api.post("/entries", {**BUGS, "team_id": red["id"]}, as_=ann)
    await api.call("PATCH", f"/entries/{made['id']}", {"name": "x"}, as_=ann, expect=403, tag="*")
    await api.post("/entries", {**BUGS, "slug": "more"}, as_=ann, expect=403)


async def test_an_entry_that_the_version_before_makes_meanwhile_is_the_organisations(api: Api, pool: Pool) -> None:
    made = await api.entry()
    async with transaction(pool) as connection:
        copied = "insert into entries (id, slug, name, kind, url, credential) select gen_random_uuid(), 'old', name, "
        await connection.execute(copied + "kind, url, credential from entries")
    listed = (await api.get("/entries"))["items"]
    assert {one["slug"]: one["team_id"] for one in listed} == {made["slug"]: None, "old": None}


async def test_a_refusal_to_delete_it_names_nothing_that_its_editor_may_not_see(
    api: Api, red: JSON, eve: AdminClient, bugs: JSON
) -> None:
    ann = await api.user("Ann", red)
    await api.install(bugs, as_=ann, scope="personal")
    await api.assign(await api.gateway(as_=ann, slug="anns", visibility="personal"), bugs, as_=ann)
    await api.install(bugs, as_=eve, scope="team", team_id=red["id"])
    path = f"/entries/{bugs['id']}"
    told = (await api.call("DELETE", path, as_=eve, expect=409, tag="*"))["detail"]
    assert "the team installation 'bugs@Red', 1 personal installation of others" in told
    assert "2 tools on gateways of others" in told
    assert "ann" not in told.lower()
    told = (await api.call("DELETE", path, expect=409, tag="*"))["detail"]
    assert "the personal installation 'bugs@ann@example.com'" in told
    assert "2 tools on the gateway 'anns'" in told
