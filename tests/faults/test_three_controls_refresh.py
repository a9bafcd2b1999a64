"""The races of codes and refresh tokens once more, with three processes of control in place of three in one."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from control.store.pool import close_pool, open_pool
from tests.fixtures_people import PASSWORD, People
from tests.fixtures_postgres import Server
from tests.fixtures_system import System, running_system
from tests.oauth.flow import Answered, Flow
from tests.oauth.test_refresh_interleavings import (
    REPLICAS,
    test_a_code_that_comes_to_several_replicas_never_leaves_two_living_families,
    test_a_copied_token_ends_the_family_in_whatever_order_the_others_come,
    test_a_grant_that_is_taken_back_while_it_is_refreshed_stays_so,
    test_windows_that_refresh_at_the_same_moment_sign_nobody_out_and_fork_no_family,
)

__all__ = [
    "test_a_code_that_comes_to_several_replicas_never_leaves_two_living_families",
    "test_a_copied_token_ends_the_family_in_whatever_order_the_others_come",
    "test_a_grant_that_is_taken_back_while_it_is_refreshed_stays_so",
    "test_windows_that_refresh_at_the_same_moment_sign_nobody_out_and_fork_no_family",
]

pytestmark = pytest.mark.asyncio(loop_scope="module")

RESOURCE = "http://127.0.0.1:8080/v1/mcp/work"


class ClientOfItsOwn(Flow):
    """A flow at the public URL of a whole system, with a client that no other test has."""

    async def registration(self, **changes: Any) -> Answered:
        return await super().registration(client_name=f"Client {secrets.token_hex(4)}", **changes)

    def authorize_path(self, client_id: str, **changes: Any) -> str:
        return super().authorize_path(client_id, **{"resource": RESOURCE} | changes)

    async def redeem(self, client: dict[str, Any], code: str, **changes: Any) -> Answered:
        return await super().redeem(client, code, **changes | {"resource": RESOURCE})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running_system(tmp_path_factory.mktemp("system"), postgres, controls=REPLICAS, proxies=0) as running:
        await running.admin.made("/gateways", {"slug": "work", "name": "Work"})
        yield running


@pytest.fixture
def replicas(system: System) -> list[str]:
    """URLs of the three processes, where clients and people come to."""
    ports = [set(re.findall(r'"public_port": ?(\d+)', control.log)) for control in system.controls]
    return [f"http://127.0.0.1:{port}" for (port,) in ports]


@pytest_asyncio.fixture(loop_scope="module")
async def flow(system: System, replicas: list[str]) -> AsyncIterator[Flow]:
    """A person of this test's own; nobody else is signed in to anything."""
    async with AsyncExitStack() as ending:
        pool = await open_pool(system.dsn)
        ending.push_async_callback(close_pool, pool)
        people = People(pool, replicas[0], ending)
        await people.rows("update oauth_grants set revoked_at = now() where revoked_at is null")
        program = await ending.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        made = ClientOfItsOwn(people, program, await people.browser())
        made.ann = await people.person(f"Ann-{secrets.token_hex(4)}", PASSWORD)
        assert (await made.browser.sign_in(made.ann["email"], PASSWORD)).status == 303
        yield made
