"""Installations of service accounts, by the admin API: clients that act by themselves own what they call with."""

from __future__ import annotations

import asyncpg
import pytest

from control.store.pool import transaction
from tests.control.registry_api import JSON, Api, api
from tests.fakes.rotating_provider import CLIENT, SECRET, RotatingProvider

__all__ = ["api"]

STATIC = {"credential_model": "static", "credential_placement": {"style": "bearer"}}


async def program(api: Api, name: str = "nightly", **changes: object) -> JSON:
    """An OAuth client that acts by itself."""
    made: JSON = await api.post(
        "/oauth-clients", {"name": name, "acts": "by_itself", "auth_method": "client_secret_basic", **changes}
    )
    return made


def of(client: JSON) -> JSON:
    """The owner, in the words of the API."""
    return {"scope": "service", "oauth_client_id": client["id"]}


async def names(api: Api, query: str) -> list[str]:
    return [one["name"] for one in (await api.get(f"/installations?{query}"))["items"]]


async def test_a_service_account_has_installations_with_an_address_of_its_own_beside_the_organisation_s(
    api: Api,
) -> None:
    entry, client = await api.entry(slug="crm", name="CRM", **STATIC), await program(api)
    ours = await api.install(entry, credential="k")
    its = await api.install(entry, credential="k", **of(client))
    assert (its["scope"], its["oauth_client_id"], its["user_id"], its["team_id"]) == (
        "service", client["id"], None, None,
    )  # fmt: skip
    assert (its["owner"], its["name"], its["address"]) == ("nightly", "crm@nightly", "crm@nightly")
    assert its["sign_in_link"].endswith(f"/install/crm?installation={its['id']}")
    assert (ours["default"], its["default"], ours["oauth_client_id"]) == (True, True, None)
    assert await names(api, "scope=service") == ["crm@nightly"]
    assert await names(api, "name=crm@nightly") == ["crm@nightly"]
    line = (await api.get(f"/audit?object_id={its['id']}"))["items"][0]
    assert (line["after"]["oauth_client_id"], line["after"]["owner"]) == (client["id"], "nightly")


async def test_each_service_account_tells_its_own_apart_by_name_and_has_one_default(api: Api) -> None:
    entry, nightly, weekly = await api.entry(), await program(api), await program(api, "weekly")
    await api.install(entry, name="live")
    for client in (nightly, weekly):
        await api.install(entry, name="live", **of(client))
        await api.install(entry, name="staging", default=True, **of(client))
        await api.install(entry, name="LIVE", expect=409, **of(client))
    listed = (await api.get("/installations"))["items"]
    assert sorted((one["owner"], one["name"]) for one in listed if one["default"]) == [
        ("nightly", "staging"), ("organisation", "live"), ("weekly", "staging"),
    ]  # fmt: skip


async def test_another_default_of_a_service_account_is_news_for_that_client_alone(api: Api) -> None:
    entry, client = await api.entry(), await program(api)
    await api.events()
    first = await api.install(entry, name="first", **of(client))
    assert ("client", client["client_id"]) in await api.events()
    second = await api.install(entry, name="second", **of(client))
    await api.events()
    await api.patch(f"/installations/{second['id']}", {"default": True})
    assert sorted(await api.events()) == sorted([("installation", second["id"]), ("client", client["client_id"])])
    assert not (await api.get(f"/installations/{first['id']}"))["default"]


async def test_only_a_client_that_acts_by_itself_owns_an_installation(api: Api) -> None:
    entry = await api.entry()
    people = await api.post("/oauth-clients", {"name": "Chat", "redirect_uris": ["https://chat.example.com/back"]})
    for number, owner in enumerate((of(people), of({"id": entry["id"]}), {"scope": "service"})):
        problem = await api.install(entry, expect=422, **owner)
        said = problem["errors"][0]
        assert said["field"] == "oauth_client_id"
        assert ("is needed" if number == 2 else "OAuth client that acts by itself") in said["message"]


async def test_admins_alone_say_what_a_service_account_acts_with_and_editors_may_end_it(api: Api) -> None:
    """What it acts with is decided by who may change that client; no set of permissions can give that."""
    entry, client = await api.entry(**STATIC), await program(api)
    editor, anna = await api.user("ed"), await api.user("anna")
    await api.call("PATCH", f"/users/{editor.user['id']}", {"role": "editor"}, expect=200, tag="*")
    for caller, needed in ((editor, "oauth_client:update"), (anna, "installation:share")):
        problem = await api.install(entry, as_=caller, expect=403, credential="k", **of(client))
        assert f"needs {needed}" in problem["detail"]
    path = f"/installations/{(await api.install(entry, credential='k', **of(client)))['id']}"
    await api.get(path, as_=anna, expect=404)
    problem = await api.call("PATCH", path, {"credential": "mine"}, as_=editor, expect=403, tag="*")
    assert "needs oauth_client:update" in problem["detail"]
    assert "credential" in (await api.get(path, as_=editor))["secret_names"]
    await api.call("DELETE", path, as_=editor, expect=204, tag="*")


async def test_an_entry_where_people_sign_in_is_installed_for_no_service_account_nor_becomes_one_under_it(
    api: Api,
) -> None:
    signed_in = {"credential_model": "oauth", "credential_placement": {}}
    entry, client = await api.entry(**signed_in), await program(api)
    problem = await api.install(entry, expect=422, **of(client))
    assert problem["errors"][0]["field"] == "scope"
    assert "a service account cannot sign in" in problem["errors"][0]["message"]
    other = await api.entry(slug="crm", name="CRM", **STATIC)
    its = await api.install(other, credential="k", **of(client))
    problem = await api.patch(f"/entries/{other['id']}", signed_in, expect=409)
    assert "while the service account 'nightly' has the installation 'crm@nightly'" in problem["detail"]
    await api.delete(f"/installations/{its['id']}")
    await api.patch(f"/entries/{other['id']}", signed_in)


async def test_a_team_s_own_entry_is_installed_for_no_service_account(api: Api) -> None:
    team = await api.team("Red")
    entry = await api.entry(visibility="teams", teams=[team["id"]], team_id=team["id"])
    problem = await api.install(entry, expect=422, **of(await program(api, team_id=team["id"])))
    assert problem["errors"][0]["message"].startswith("cannot be 'service': the entry belongs to a team")


async def test_it_is_pinned_at_a_gateway_that_lets_in_this_client_alone_and_that_then_stays_so(api: Api) -> None:
    entry, client = await api.entry(), await program(api)
    its = await api.install(entry, name="its", **of(client))
    gateway = await api.gateway()
    path, wanted = f"/gateways/{gateway['id']}", {"entry": entry["slug"], "tools": ["now"], "installation": its["id"]}
    problem = await api.post(f"{path}/assignments", wanted, expect=422)
    assert "only a gateway that lets in this client alone" in problem["errors"][0]["message"]
    await api.patch(path, {"allowed_clients": [client["client_id"]]})
    (pinned,) = (await api.post(f"{path}/assignments", wanted))["items"]
    assert pinned["installation_scope"] == "service"
    problem = await api.patch(path, {"allowed_clients": []}, expect=422)
    assert problem["errors"][0]["field"] == "allowed_clients"
    assert "take the pin away first" in problem["errors"][0]["message"]
    await api.events()
    await api.delete(f"/oauth-clients/{client['id']}")
    assert sorted(await api.events()) == sorted(
        [("client", client["client_id"]), ("installation", its["id"]), ("gateway", gateway["id"])]
    )
    assert (await api.get(f"{path}/assignments"))["items"] == []


@pytest.mark.parametrize("how", ["shut out", "deleted"])
async def test_where_its_client_ends_the_tools_of_an_entry_are_found_through_another(api: Api, how: str) -> None:
    entry, client = await api.entry(), await program(api)
    its = await api.install(entry, **of(client))
    await api.install(entry, name="its other one", **of(client))
    anna = await api.user("anna")
    hers = await api.install(entry, as_=anna, scope="personal")
    found = f"/entries/{entry['id']}"
    assert (await api.get(found))["discovery_installation_id"] == its["id"]
    if how == "deleted":
        await api.delete(f"/oauth-clients/{client['id']}")
        await api.get(f"/installations/{its['id']}", expect=404)
    else:
        await api.post(f"/oauth-clients/{client['id']}/disable", expect=200)
    assert (await api.get(found))["discovery_installation_id"] == hers["id"]


async def test_the_tools_of_an_entry_are_found_through_a_program_s_before_a_person_s_and_after_a_team_s(
    api: Api,
) -> None:
    entry, client, team = await api.entry(), await program(api), await api.team("Red")
    first = await api.install(entry, name="first")
    anna = await api.user("anna")
    await api.install(entry, as_=anna, scope="personal", name="hers")
    its = await api.install(entry, name="its", **of(client))
    teams = await api.install(entry, name="the team's", scope="team", team_id=team["id"])
    for goes, then in ((first, teams), (teams, its)):
        await api.delete(f"/installations/{goes['id']}")
        assert (await api.get(f"/entries/{entry['id']}"))["discovery_installation_id"] == then["id"]


async def test_with_its_client_what_it_holds_at_a_provider_goes_too(api: Api) -> None:
    async with RotatingProvider() as provider:
        entry = await api.entry(
            url=f"{provider.url}/mcp", credential_model="client_credentials",
            credential_placement={"issuer": provider.url},
        )  # fmt: skip
        client = await program(api)
        made = await api.install(entry, values={"client_id": CLIENT}, credential=SECRET, **of(client))
        assert made["state"] == "ready", made["state_reason"]
        (question,) = [one for one in api.proxy.questions if one.installation.credential_headers]
        ((name, value),) = question.installation.credential_headers
        assert (name, provider.takes(value.removeprefix("Bearer "))) == ("authorization", "client")
    await api.delete(f"/oauth-clients/{client['id']}")
    async with transaction(api.pool, readonly=True) as connection:
        assert await connection.fetchval("select count(*) from accounts") == 0
        assert await connection.fetchval("select count(*) from installations") == 0


async def test_a_row_has_the_columns_of_its_scope_and_no_others(api: Api) -> None:
    entry, client, team = await api.entry(), await program(api), await api.team("Red")
    its = await api.install(entry, **of(client))
    for column, value in (("team_id", team["id"]), ("oauth_client_id", None), ("scope", "organisation")):
        with pytest.raises(asyncpg.CheckViolationError):
            async with api.pool.acquire() as connection:
                await connection.execute(f"update installations set {column} = $2 where id = $1", its["id"], value)
