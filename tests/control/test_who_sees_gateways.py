"""Gateways that no person sees, and that are usable all the same: for jobs, partners and a team's token."""

from typing import Any

from tests.control.registry_api import Api, api

__all__ = ["api"]

_AUDIENCE = "https://tools.example.com/v1/mcp/partners"


def _sees_nobody(gateway: dict[str, Any]) -> bool:
    return any("Nobody can see it" in one for one in gateway["reasons"])


async def _partners(api: Api, team: dict[str, Any]) -> dict[str, Any]:
    return await api.post(
        "/identity-providers",
        {
            "slug": "partners", "name": "Partners", "issuer": "https://id.partner.example", "sign_in": False,
            "audiences": [_AUDIENCE], "admits_external": True, "teams_claim": "groups",
            "team_rules": [{"value": "tool-users", "team_id": team["id"]}],
        },
    )  # fmt: skip


async def test_a_service_account_of_its_team_sees_a_gateway_until_it_is_disabled(api: Api) -> None:
    team = await api.team("deployers")
    account = await api.post("/oauth-clients", {"name": "deploys", "acts": "by_itself", "team_id": team["id"],
                                                "auth_method": "client_secret_basic"})  # fmt: skip
    gateway = await api.gateway(visibility="teams", teams=[team["id"]])
    assert not _sees_nobody(gateway)
    await api.call("POST", f"/oauth-clients/{account['id']}/disable", {}, expect=200)
    assert _sees_nobody(await api.get(f"/gateways/{gateway['id']}"))


async def test_a_service_account_that_a_gateway_does_not_name_is_not_counted(api: Api) -> None:
    team = await api.team("deployers")
    accounts = [
        await api.post("/oauth-clients", {"name": name, "acts": "by_itself", "team_id": of,
                                          "auth_method": "client_secret_basic"})
        for name, of in (("deploys", team["id"]), ("other", None))
    ]  # fmt: skip
    gateway = await api.gateway(visibility="teams", teams=[team["id"]], allowed_clients=[accounts[1]["client_id"]])
    assert _sees_nobody(gateway)


async def test_a_team_that_a_rule_gives_callers_without_an_account_is_not_nobody(api: Api) -> None:
    team, other = await api.team("partners"), await api.team("others")
    provider = await _partners(api, team)
    named = {"identity_provider_id": provider["id"], "visibility": "teams"}
    assert not _sees_nobody(await api.gateway(teams=[team["id"]], **named))
    assert _sees_nobody(await api.gateway(slug="other", teams=[other["id"]], **named))


async def test_a_gateway_of_the_organisation_tells_that_callers_without_an_account_see_none(api: Api) -> None:
    team = await api.team("partners")
    provider = await _partners(api, team)
    gateway = await api.gateway(identity_provider_id=provider["id"])
    assert any("Partners admits callers without an account" in one for one in gateway["warnings"])
    await api.gateway(slug="theirs", identity_provider_id=provider["id"], visibility="teams", teams=[team["id"]])
    again = await api.get(f"/gateways/{gateway['id']}")
    assert not any("callers without an account" in one for one in again["warnings"])


async def test_a_gateway_names_a_client_by_its_id_and_who_gives_a_name_is_told_the_id(api: Api) -> None:
    client = await api.post("/oauth-clients", {"name": "Deploys", "acts": "by_itself",
                                               "auth_method": "client_secret_basic"})  # fmt: skip
    gateway = await api.gateway(allowed_clients=[client["client_id"]])
    path = f"/gateways/{gateway['id']}"
    for given, told in (("deploys", client["client_id"]), ("nobody", "archway oauth-clients list")):
        problem = await api.patch(path, {"allowed_clients": [client["client_id"], given]}, expect=422)
        assert problem["errors"][0]["field"] == "allowed_clients[1]"
        assert told in problem["errors"][0]["message"]
    document = "https://claude.ai/c.json"
    assert (await api.patch(path, {"allowed_clients": [document]}))["allowed_clients"] == [document]
