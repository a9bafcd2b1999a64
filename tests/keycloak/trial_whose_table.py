"""Whose token reaches a server, with a realm of Keycloak as the identity provider: the cells of the table that it can
play, each through the whole product. Run by `make keycloak`.

All cells with npm `oidc-provider` are in `tests/trust/test_whose_table.py`, with the same company.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from archway.admin_client import AdminApi
from control.credentials.whose import TABLE, CallerKind, Wanted
from control.identity.kept_state import FRESH_S
from tests.docs.conftest import Deployment
from tests.fakes.mcp_upstream import McpUpstream
from tests.fixtures_archway import RunningArchway
from tests.fixtures_idp import CALLBACK
from tests.keycloak.vouches import KeycloakVouches
from tests.trust.whose_cells import told_by, what_is_wrong
from tests.trust.whose_company import AtServer, Company, opened

pytestmark = pytest.mark.timeout(900)
ISSUES_NO_ASSERTIONS = "Keycloak 26.7 takes identity assertions (ID-JAG) and issues none"


def why_not_played(caller: CallerKind, wanted: Wanted) -> str:
    """Why Keycloak cannot play a cell; '' where it can. Who gets nothing by an assertion is told so without it."""
    by_assertion = caller == "id_jag"
    gets_one = wanted == "id_jag" and TABLE[wanted][caller].uses is not None
    return ISSUES_NO_ASSERTIONS if by_assertion or gets_one else ""


async def test_every_cell_that_keycloak_can_play_is_as_the_table_says(company: Company) -> None:
    wrong: dict[str, str] = {}
    for wanted in TABLE:
        for caller in TABLE[wanted]:
            if why_not_played(caller, wanted):
                continue
            why = await what_is_wrong(company, caller, wanted, await company.call(caller, wanted))
            if why:
                wrong[f"{caller} at {wanted}"] = why
    assert wrong == {}


async def test_who_needs_an_assertion_is_told_that_keycloak_issues_none(company: Company) -> None:
    """Where this fails, Keycloak has learned it: then its cells are to be played."""
    for caller in ("user_token", "provider_token"):
        outcome = await company.call(caller, "id_jag")
        assert outcome.status == "not_allowed", (outcome.status, outcome.sentence)
        assert "refused with 400 invalid_request" in outcome.sentence, outcome.sentence


async def test_whose_sign_in_was_ended_there_is_told_to_sign_in_again(company: Company) -> None:
    assert isinstance(company.idp, KeycloakVouches)
    await asyncio.sleep(FRESH_S + 1)  # what was given a moment ago is not refreshed
    await company.idp.log_out()
    outcome = await company.call("user_token", "token_exchange")
    assert outcome.status == "needs_sign_in", (outcome.status, outcome.sentence)


@pytest.fixture
async def company(keycloak_url: str, deployment: Deployment) -> AsyncIterator[Company]:
    here = deployment.file
    archway = RunningArchway(here, AdminApi(here["control_url"], here["admin_token"]))
    async with McpUpstream(era="modern") as server, aiohttp.ClientSession() as http:
        for wanted in TABLE:
            server.tool(wanted, told_by)
        vouches = KeycloakVouches(keycloak_url, http, here["proxy_url"] + CALLBACK)
        nobody = AtServer("https://login.server.test", "archway", "of the server")
        async with opened(archway, vouches, nobody, server.url) as made:
            yield made
    deployment.clear()
