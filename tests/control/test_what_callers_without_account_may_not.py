"""Every operation of the OpenAPI document and every page, asked with the tokens of callers without an account.

Their tokens are good at a gateway: somebody's whom a provider admits, and a job's. They open nothing else, however
they are presented: no operation, no page, no endpoint of sign-in gives them anything, and nothing is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from control.registry.identity_provider import ServiceRule
from control.store.pool import Pool, transaction
from core.tokens import PREFIX
from tests.control.corp_callers import Corp
from tests.control.registry_api import Api, api
from tests.control.test_ci_jobs import GITHUB, nightly
from tests.control.test_every_operation import operations
from tests.control.test_every_page import WALKED, shape
from tests.fixtures_people import People

__all__ = ["api"]
SOME_ID = "0198e000-0000-7000-8000-000000000000"
TABLES = ("users", "tokens", "installations", "oauth_grants", "browser_sessions", "memberships", "audit")


@pytest.fixture
async def credentials(corp_callers: Corp) -> dict[str, str]:
    """Good tokens of both, by whose they are."""
    account = await nightly(corp_callers)
    rules = (ServiceRule(account.id, {"repository": "acme/shop"}),)
    await corp_callers.change(admits_external=True, service_rules=rules)
    tokens = {
        "external": await corp_callers.token(sub="zoe", email=None),
        "service": await corp_callers.token(**GITHUB),
    }
    for kind, token in tokens.items():
        principal = (await corp_callers.verdict(token)).principal
        assert principal is not None
        assert principal.kind == kind
    return tokens


PRESENTED: dict[str, Callable[[str], dict[str, str]]] = {
    "as a bearer": lambda token: {"Authorization": f"Bearer {token}"},
    "as a token of ours": lambda token: {"Authorization": f"Bearer {PREFIX}{token}"},
    "as a session": lambda token: {"Cookie": f"archway-8400={token}"},
}


async def counted(pool: Pool) -> dict[str, int]:
    async with transaction(pool, readonly=True) as connection:
        return {one: int(await connection.fetchval(f"select count(*) from {one}")) for one in TABLES}


@pytest.mark.parametrize("kind", ["external", "service"])
@pytest.mark.parametrize("how", PRESENTED)
async def test_no_operation_of_the_admin_api_is_theirs(
    api: Api, pool: Pool, credentials: dict[str, str], kind: str, how: str
) -> None:
    headers, before = PRESENTED[how](credentials[kind]), await counted(pool)
    walked = await operations(api.admin)
    wrong = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        for method, path, _ in walked:
            where = f"{api.admin.url}/api/v1" + re.sub(r"{\w+}", SOME_ID, path)
            async with http.request(method, where, json={}, headers=headers) as answer:
                if answer.status != 401:
                    wrong.append((method, path, answer.status))
    assert len(walked) > 100
    assert not wrong
    assert await counted(pool) == before


@pytest.mark.parametrize("kind", ["external", "service"])
@pytest.mark.parametrize("how", PRESENTED)
async def test_no_page_is_theirs(
    people: People, pool: Pool, credentials: dict[str, str], kind: str, how: str
) -> None:
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", **PRESENTED[how](credentials[kind])}
    before, wrong = await counted(pool), []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        for page in WALKED:
            where = people.url + re.sub(r"{\w+}", SOME_ID, shape(page.path))
            sent: Any = {"csrf": "x"} if page.method == "POST" else None
            async with http.request(page.method, where, data=sent, headers=headers, allow_redirects=False) as answer:
                if (answer.status, answer.headers.get("Location", "").partition("?")[0]) != (303, "/sign-in"):
                    wrong.append((page.method, page.path, answer.status))
    assert not wrong
    assert await counted(pool) == before


@pytest.mark.parametrize("kind", ["external", "service"])
async def test_no_token_of_ours_is_given_for_theirs(
    people: People, pool: Pool, credentials: dict[str, str], kind: str
) -> None:
    token, before = credentials[kind], await counted(pool)
    asked = [
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": token},
        {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": token},
        {"grant_type": "client_credentials", "client_assertion": token,
         "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
        {"grant_type": "refresh_token", "refresh_token": token},
    ]  # fmt: skip
    async with aiohttp.ClientSession() as http:
        for form in asked:
            async with http.post(f"{people.url}/oauth/token", data=form) as answer:
                assert answer.status in {400, 401}, form["grant_type"]
                assert "access_token" not in await answer.json()
    assert await counted(pool) == before
