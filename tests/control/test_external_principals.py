"""People without an account in the admin API: listed, shut out, let in; and rules that bind jobs to accounts."""

from __future__ import annotations

import pytest

from control.changes import external_principals
from control.changes.write import changing
from control.store import identity_providers
from control.store.pool import Pool
from tests.control import seeded
from tests.control.registry_api import JSON, Api, api
from tests.control.test_every_operation import a_provider
from tests.fakes.providers import a_person

__all__ = ["api"]
JOBS = {"name": "Nightly", "acts": "by_itself", "auth_method": "client_secret_basic"}


async def known(pool: Pool, provider: JSON, *subjects: str) -> list[str]:
    """These people call, one after the other; their identifiers."""
    found = []
    for subject in subjects:
        async with changing(pool, seeded.SEEDER) as write:
            row = await identity_providers.one(write.connection, provider["id"])
            assert row is not None
            made = await external_principals.seen(write, row, a_person(subject=subject, issuer=row.issuer))
            assert made is not None
        found.append(made.id)
    return found


async def test_who_called_last_comes_first_provider_by_provider_and_page_by_page(api: Api, pool: Pool) -> None:
    corp, other = [await api.post("/identity-providers", a_provider(slug)) for slug in ("corp", "other")]
    zoe, yan, xia = await known(pool, corp, "zoe", "yan", "xia")
    await known(pool, other, "zoe")
    await known(pool, corp, "zoe")
    path = f"/external-principals?provider={corp['id']}"
    first = await api.get(f"{path}&limit=2")
    rest = await api.get(f"{path}&limit=2&cursor={first['next']}")
    assert [one["id"] for one in (*first["items"], *rest["items"])] == [zoe, xia, yan]
    assert [one["issuer"] for one in (await api.get("/external-principals?subject=zoe"))["items"]] == [
        other["issuer"] if one["id"] != zoe else corp["issuer"]
        for one in (await api.get("/external-principals?subject=zoe"))["items"]
    ]
    assert (await api.get(f"/external-principals/{yan}"))["subject"] == "yan"


async def test_one_is_shut_out_and_let_in_and_the_trail_says_so(api: Api, pool: Pool) -> None:
    corp = await api.post("/identity-providers", a_provider("corp"))
    (zoe,) = await known(pool, corp, "zoe")
    path = f"/external-principals/{zoe}"
    assert (await api.admin.post(f"{path}/disable")).json["disabled_at"] is not None
    assert (await api.admin.post(f"{path}/enable")).json["disabled_at"] is None
    ended = (await api.admin.post(f"/revocations/external-principals/{zoe}?wait=0")).json
    assert (ended["kind"], ended["id"]) == ("external_principal", zoe)
    assert (await api.get(path))["disabled_at"] is not None
    trail = (await api.get("/audit?object_kind=external_principal"))["items"]
    assert [line["action"] for line in trail] == ["disable", "enable", "disable"]


@pytest.mark.parametrize(
    ("client", "claims", "field"),
    [
        pytest.param({"name": "Claude", "redirect_uris": ["https://c.example/cb"]}, {"repository": "acme/shop"},
                     "service_rules[0].oauth_client_id", id="a client for people"),
        pytest.param(JOBS, {"repository": "*"}, "service_rules[0].claims", id="whatever the claim says"),
        pytest.param(JOBS, {}, "service_rules[0].claims", id="no claim"),
    ],
)  # fmt: skip
async def test_a_rule_that_lets_in_anybody_is_refused_and_says_where(
    api: Api, client: JSON, claims: JSON, field: str
) -> None:
    account = await api.post("/oauth-clients", client)
    rule = {"oauth_client_id": account["id"], "claims": claims}
    answer = await api.admin.post("/identity-providers", {**a_provider("ci"), "service_rules": [rule]})
    assert answer.status == 422
    assert [one["field"] for one in answer.json["errors"]] == [field]


async def test_a_rule_whose_account_is_gone_stops_nobody_from_switching_the_provider_off(api: Api) -> None:
    account = await api.post("/oauth-clients", JOBS)
    rule = {"oauth_client_id": account["id"], "claims": {"ref": "main"}}
    provider = await api.post("/identity-providers", {**a_provider("ci"), "service_rules": [rule]})
    assert provider["service_rules"] == [rule]
    assert (await api.admin.delete(f"/oauth-clients/{account['id']}")).status == 204
    answer = await api.admin.patch(f"/identity-providers/{provider['id']}", {"name": "Other"})
    assert answer.status == 200, answer.body


async def test_a_rule_whose_account_is_disabled_is_a_warning_of_its_provider(api: Api) -> None:
    account = await api.post("/oauth-clients", JOBS)
    rule = {"oauth_client_id": account["id"], "claims": {"repository": "acme/shop"}}
    provider = await api.post("/identity-providers", {**a_provider("ci"), "service_rules": [rule]})
    await api.call("POST", f"/oauth-clients/{account['id']}/disable", {}, expect=200)
    on = await api.patch(f"/identity-providers/{provider['id']}", {"enabled": True})
    assert any("Rule 1" in one and "account that is disabled" in one for one in on["warnings"]), on["warnings"]
