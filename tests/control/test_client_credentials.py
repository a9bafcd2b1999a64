"""A client of an installation, from its entry to what a call carries, through the API alone and without a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from control.accounts.renewals import Renewals
from control.admin.deps import Deps
from control.changes import server_states
from control.changes.write import changing, there
from control.credentials.usable import Usable
from control.registry.row_seals import RowSeals
from control.store import entries, installations
from core.resolve import ResolvedInstallation
from tests.control import seeded
from tests.control.registry_api import Api, api
from tests.fakes.registry import a_server_state
from tests.fakes.rotating_provider import CLIENT, SECRET, RotatingProvider

__all__ = ["api"]


@pytest.fixture
async def provider() -> AsyncIterator[RotatingProvider]:
    async with RotatingProvider() as running:
        yield running


async def entry(api: Api, provider: RotatingProvider, **placement: Any) -> str:  # the fixture
    body = {
        "slug": "crm", "name": "CRM", "url": f"{provider.url}/mcp", "credential_model": "client_credentials",
        "credential_placement": {"issuer": provider.url, **placement},
    }  # fmt: skip
    return str((await api.admin.made("/entries", body))["id"])


@pytest.mark.parametrize("scope", ["organisation", "team"])
async def test_discovery_gets_the_token_of_a_teams_or_the_organisations_client(
    api: Api,  # the fixture
    provider: RotatingProvider,
    scope: str,
) -> None:
    wanted: dict[str, Any] = {"scope": scope, "values": {"client_id": CLIENT}, "credential": SECRET}
    if scope == "team":
        wanted["team_id"] = (await api.admin.made("/teams", {"name": "Support"}))["id"]
    wanted["entry_id"] = await entry(api, provider, scopes=["read"])
    made = await api.admin.made("/installations", wanted)
    assert made["state"] == "ready", made["state_reason"]
    (question,) = [one for one in api.proxy.questions if one.installation.credential_headers]
    ((name, value),) = question.installation.credential_headers
    assert (name, provider.takes(value.removeprefix("Bearer "))) == ("authorization", "client read")
    assert SECRET not in str(made)


async def test_a_wrong_secret_needs_another_one_and_a_right_one_mends_it(
    api: Api,  # the fixture
    provider: RotatingProvider,
) -> None:
    wanted = {"scope": "organisation", "values": {"client_id": CLIENT}, "credential": "wrong"}
    made = await api.admin.made("/installations", {**wanted, "entry_id": await entry(api, provider)})
    assert (made["state"], "has a client that its provider does not take" in made["state_reason"]) == (
        "needs_sign_in", True,
    )  # fmt: skip
    assert (await api.admin.patch(f"/installations/{made['id']}", {"credential": SECRET})).status == 200
    assert (await api.admin.get(f"/installations/{made['id']}")).json["state"] == "ready"


async def test_a_provider_that_is_away_makes_an_installation_unreachable_and_asks_for_no_sign_in(
    api: Api,  # the fixture
    provider: RotatingProvider,
) -> None:
    provider.metadata_status = 503
    wanted = {"scope": "organisation", "values": {"client_id": CLIENT}, "credential": SECRET}
    made = await api.admin.made("/installations", {**wanted, "entry_id": await entry(api, provider)})
    assert made["state"] == "unreachable"
    assert "nobody has to sign in again" in made["state_reason"]


async def test_a_server_that_archway_runs_gets_the_clients_token_with_each_call(
    api: Api,  # the fixture
    deps: Deps,  # the fixture
    provider: RotatingProvider,
) -> None:
    body = {
        "slug": "crm", "name": "CRM", "run": {"transport": "http", "image": "registry.example/crm:1"},
        "credential_model": "client_credentials",
        "credential_placement": {"issuer": provider.url, "resource": "omit", "scopes": ["read"]},
    }  # fmt: skip
    made = await api.install(
        await api.post("/entries", body), values={"client_id": CLIENT}, credential=SECRET, scope="organisation"
    )
    async with changing(api.pool, seeded.SEEDER) as write:
        await server_states.keep(write, a_server_state(installation_id=made["id"]))
        installation = there(await installations.one(write.connection, made["id"]))
        crm = there(await entries.one(write.connection, installation.entry_id))
    renewals = Renewals(api.pool, deps.upstream.asker, RowSeals(api.ring))
    found = await Usable(RowSeals(api.ring), renewals, place="process").resolved(crm, installation, None)
    await renewals.close()
    assert isinstance(found, ResolvedInstallation)
    ((name, value),) = found.credential_headers
    assert (found.kind, name, provider.takes(value.removeprefix("Bearer "))) == (
        "process", "authorization", "client read",
    )  # fmt: skip
