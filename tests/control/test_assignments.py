"""Assignments through the admin API: names, pins, and what may not be lent."""

from typing import Any

import pytest

from core.identifiers import new_id
from tests.control.registry_api import JSON, Api, api

__all__ = ["api"]


@pytest.fixture
async def entry(api: Api) -> JSON:
    made = await api.entry()
    await api.install(made)
    return made


@pytest.fixture
async def gateway(api: Api) -> JSON:
    return await api.gateway()


def names(assigned: Any) -> list[str]:
    return sorted(one["exposed_name"] for one in assigned["items"])


async def test_all_tools_of_an_entry_are_assigned_under_its_slug(api: Api, entry: JSON, gateway: JSON) -> None:
    assigned = await api.assign(gateway, entry)
    assert names(assigned) == ["time__convert", "time__now"]
    assert assigned["created"] == 2
    assert assigned["items"][0]["installation_id"] is None
    assert names(await api.get(f"/gateways/{gateway['id']}/assignments")) == ["time__convert", "time__now"]


async def test_assigning_again_changes_nothing_and_says_what_is_there(api: Api, entry: JSON, gateway: JSON) -> None:
    first = await api.assign(gateway, entry, tools=["now"])
    again = await api.assign(gateway, entry)
    assert again["created"] == 1
    assert first["items"][0]["id"] in [one["id"] for one in again["items"]]


async def test_without_prefix_tools_keep_their_names(api: Api, entry: JSON, gateway: JSON) -> None:
    assert names(await api.assign(gateway, entry, prefix=False)) == ["convert", "now"]


async def test_a_name_can_be_chosen(api: Api, entry: JSON, gateway: JSON) -> None:
    assert names(await api.assign(gateway, entry, tools=["now"], exposed_name="clock")) == ["clock"]


async def test_the_entry_may_be_named_by_its_id(api: Api, entry: JSON, gateway: JSON) -> None:
    assert (await api.assign(gateway, entry, entry=entry["id"]))["created"] == 2


async def test_one_tool_with_two_pins_gets_two_names(api: Api, entry: JSON, gateway: JSON) -> None:
    pin = (await api.get("/installations"))["items"][0]["id"]
    await api.assign(gateway, entry, tools=["now"])
    (pinned,) = (await api.assign(gateway, entry, tools=["now"], installation=pin))["items"]
    assert pinned["installation_id"] == pin
    assert pinned["exposed_name"].startswith("time__now_")


async def test_the_tools_of_two_entries_with_one_name_do_not_clash_without_prefix(
    api: Api, entry: JSON, gateway: JSON
) -> None:
    other = await api.entry(slug="other")
    await api.install(other)
    await api.assign(gateway, entry, tools=["now"], prefix=False)
    (second,) = names(await api.assign(gateway, other, tools=["now"], prefix=False))
    assert second.startswith("now_")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"entry": "nothing"}, "entry"),
        ({"tools": ["now", "never"]}, "tools[1]"),
        ({"tools": []}, "tools"),
        ({"exposed_name": "clock"}, "exposed_name"),
        ({"tools": ["now"], "exposed_name": "a.b"}, "exposed_name"),
        ({"installation": new_id()}, "installation"),
    ],
)
async def test_a_wrong_field_is_named(
    api: Api, entry: JSON, gateway: JSON, changes: dict[str, Any], field: str
) -> None:
    problem = await api.assign(gateway, entry, **changes, expect=422)
    assert problem["errors"][0]["field"] == field


async def test_a_taken_name_is_a_conflict(api: Api, entry: JSON, gateway: JSON) -> None:
    await api.assign(gateway, entry, tools=["now"], exposed_name="clock")
    problem = await api.assign(gateway, entry, tools=["convert"], exposed_name="clock", expect=409)
    assert problem["errors"][0]["field"] == "exposed_name"


async def test_an_entry_without_tools_says_what_to_do(api: Api, gateway: JSON) -> None:
    problem = await api.assign(gateway, await api.entry(), expect=409)
    assert "install it" in problem["detail"]


async def test_an_installation_of_another_entry_is_no_pin(api: Api, entry: JSON, gateway: JSON) -> None:
    other = await api.install(await api.entry(slug="other"))
    problem = await api.assign(gateway, entry, installation=other["id"], expect=422)
    assert "another entry" in problem["detail"]


async def test_a_personal_installation_is_pinned_by_its_owner_on_their_personal_gateway_only(
    api: Api, entry: JSON, gateway: JSON
) -> None:
    anna = await api.user("anna")
    hers = await api.install(entry, as_=anna, scope="personal")
    own_gateway = await api.gateway(as_=anna, slug="annas", visibility="personal")
    by_admin = await api.assign(own_gateway, entry, installation=hers["id"], expect=422)
    assert "only they may pin it" in by_admin["detail"]
    await api.assign(own_gateway, entry, as_=anna, installation=hers["id"])
    admins = await api.install(entry, scope="personal")
    shared = await api.assign(gateway, entry, installation=admins["id"], expect=422)
    assert "only their own personal gateway" in shared["detail"]


async def test_another_persons_installation_is_not_even_named(api: Api, entry: JSON) -> None:
    anna, ben = await api.user("anna"), await api.user("ben")
    hers = await api.install(entry, as_=anna, scope="personal")
    bens = await api.gateway(as_=ben, slug="bens", visibility="personal")
    problem = await api.assign(bens, entry, as_=ben, installation=hers["id"], expect=422)
    assert problem["errors"][0]["message"] == "is not the id of an installation that you may see; list /installations"


async def test_a_teams_installation_is_lent_by_an_admin_of_the_team_only(api: Api, entry: JSON) -> None:
    blue = await api.team("blue")
    member, lead = await api.user("anna", blue), await api.user("lena", blue, role="admin")
    shared = await api.install(entry, as_=lead, scope="team", team_id=blue["id"])
    by_member = await api.gateway(as_=member, slug="annas", visibility="personal")
    await api.assign(by_member, entry, as_=member, installation=shared["id"], expect=422)
    by_lead = await api.gateway(as_=lead, slug="lenas", visibility="personal")
    await api.assign(by_lead, entry, as_=lead, installation=shared["id"])


async def test_only_entries_that_the_caller_sees_are_assigned(api: Api) -> None:
    blue = await api.team("blue")
    hidden = await api.entry(slug="hidden", visibility="teams", teams=[blue["id"]])
    await api.install(hidden)
    ben = await api.user("ben")
    bens = await api.gateway(as_=ben, slug="bens", visibility="personal")
    problem = await api.assign(bens, hidden, as_=ben, expect=422)
    assert problem["errors"][0]["field"] == "entry"


async def test_a_name_and_a_pin_can_be_changed_and_the_gateway_hears_of_it(
    api: Api, entry: JSON, gateway: JSON
) -> None:
    pin = (await api.get("/installations"))["items"][0]["id"]
    (made,) = (await api.assign(gateway, entry, tools=["now"], installation=pin))["items"]
    path = f"/gateways/{gateway['id']}/assignments/{made['id']}"
    await api.events()
    renamed = await api.patch(path, {"exposed_name": "clock"})
    assert (renamed["exposed_name"], renamed["installation_id"]) == ("clock", pin)
    assert (await api.patch(path, {"installation": None}))["installation_id"] is None
    assert await api.events() == [("gateway", gateway["id"])] * 2
    await api.patch(path, {"exposed_name": "a b"}, expect=422)


async def test_a_tool_is_taken_off(api: Api, entry: JSON, gateway: JSON) -> None:
    (made,) = (await api.assign(gateway, entry, tools=["now"]))["items"]
    await api.events()
    await api.delete(f"/gateways/{gateway['id']}/assignments/{made['id']}")
    assert names(await api.get(f"/gateways/{gateway['id']}/assignments")) == []
    assert await api.events() == [("gateway", gateway["id"])]


async def test_an_assignment_of_another_gateway_is_not_found(api: Api, entry: JSON, gateway: JSON) -> None:
    (made,) = (await api.assign(gateway, entry, tools=["now"]))["items"]
    other = await api.gateway(slug="other")
    await api.get(f"/gateways/{other['id']}/assignments/{made['id']}", expect=404)


async def test_a_per_user_server_is_assigned_before_anyone_else_signs_in_and_outlives_who_did(
    api: Api, gateway: JSON
) -> None:
    entry = await api.entry(slug="own", credential_model="static", credential_placement={"style": "bearer"})
    anna = await api.user("anna")
    await api.install(entry, as_=anna, scope="personal", credential="k")
    await api.assign(gateway, entry)
    await api.call("DELETE", f"/users/{anna.user['id']}", expect=204, tag="*")
    assert names(await api.get(f"/gateways/{gateway['id']}/assignments")) == ["own__convert", "own__now"]


async def test_each_new_assignment_has_its_own_audit_line(api: Api, entry: JSON, gateway: JSON) -> None:
    assigned = await api.assign(gateway, entry)
    for one in assigned["items"]:
        (line,) = (await api.get(f"/audit?object_id={one['id']}"))["items"]
        assert line["after"]["exposed_name"] == one["exposed_name"]
