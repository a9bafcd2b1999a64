"""A team's installation on a gateway that others see: allowed, and said to whoever does it."""

from typing import Any

import pytest

from tests.control.registry_api import JSON, Api, api

__all__ = ["api"]


async def pinned(api: Api, **gateway: Any) -> tuple[JSON, JSON]:
    """A gateway and the answer that pinned its tools to the installation of the team Support."""
    entry, support = await api.entry(slug="crm"), await api.team("Support")
    names = {"Support": support, "Sales": await api.team("Sales"), "Ops": await api.team("Ops")}
    mine = await api.install(entry, scope="team", team_id=support["id"])
    gateway["teams"] = [names[name]["id"] for name in gateway.pop("of", [])]
    made = await api.gateway(**gateway)
    return made, await api.assign(made, entry, installation=mine["id"])


@pytest.mark.parametrize(
    ("gateway", "who"),
    [
        ({"visibility": "teams", "of": ["Sales"]}, "Sales"),
        ({"visibility": "teams", "of": ["Sales", "Support", "Ops"]}, "Ops and Sales"),
        ({"visibility": "organisation"}, "everybody"),
        ({"visibility": "personal"}, "admin"),
    ],
    ids=str,
)
async def test_a_teams_installation_on_a_gateway_that_others_see_is_warned_of(
    api: Api, gateway: dict[str, Any], who: str
) -> None:
    made, answer = await pinned(api, **gateway)
    (warning,) = answer["warnings"]
    assert warning.startswith("crm__convert, crm__now: pinned to 'crm@Support' of the team 'Support', so ")
    assert who in warning
    assert warning in (await api.get(f"/gateways/{made['id']}"))["warnings"]


async def test_a_teams_own_gateway_is_not_warned_of(api: Api) -> None:
    made, answer = await pinned(api, visibility="teams", of=["Support"])
    assert answer["warnings"] == []
    assert (await api.get(f"/gateways/{made['id']}"))["warnings"] == []


async def test_neither_the_organisations_installation_nor_the_callers_own_is_lent(api: Api) -> None:
    entry, team = await api.entry(), await api.team("Sales")
    made = await api.gateway(visibility="teams", teams=[team["id"]])
    shared = await api.install(entry)
    assert (await api.assign(made, entry, tools=["now"], installation=shared["id"]))["warnings"] == []
    assert (await api.assign(made, entry, tools=["convert"]))["warnings"] == []


async def test_another_pin_and_another_audience_are_warned_of_too(api: Api) -> None:
    made, answer = await pinned(api, visibility="teams", of=["Support"])
    path = f"/gateways/{made['id']}/assignments/{answer['items'][0]['id']}"
    assert (await api.patch(path, {"exposed_name": "find"}))["warnings"] == []
    (warning,) = (await api.patch(f"/gateways/{made['id']}", {"visibility": "organisation", "teams": []}))["warnings"]
    assert "everybody" in warning
    assert "everybody" in (await api.patch(path, {"exposed_name": "find_it"}))["warnings"][0]
    assert (await api.patch(path, {"installation": None}))["warnings"] == []


async def test_who_only_calls_is_not_told_the_names_of_other_teams(api: Api) -> None:
    made, _ = await pinned(api, visibility="organisation")
    assert (await api.get(f"/gateways/{made['id']}", as_=await api.user("anna")))["warnings"] == []
