"""Whose token reaches a server: every cell of the table, with each kind of caller made as it comes to be, a real
identity provider (npm oidc-provider), and the whole product between the caller and a server that says what it got.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import pytest_asyncio
from redis import Redis

from control.credentials.whose import TABLE, Wanted
from tests.fakes.identity_provider import AT_SERVER, AT_SERVER_SECRET, IdentityProvider
from tests.fakes.mcp_upstream import McpUpstream
from tests.fixtures_archway import RunningArchway
from tests.fixtures_idp import CALLBACK, running_provider
from tests.fixtures_program import eventually
from tests.fixtures_redis import stored
from tests.trust.whose_cells import told_by, what_is_wrong
from tests.trust.whose_company import AtServer, Company, opened
from tests.trust.whose_npm import NpmVouches

RECORDED_WITHIN_S = 30
OF_CALLERS: tuple[Wanted, ...] = ("token_exchange", "id_jag", "passthrough", "caller_statement")
"""What is another for each caller."""


@pytest.mark.asyncio(loop_scope="module")
async def test_every_cell_is_as_the_table_says(company: Company) -> None:
    wrong: dict[str, str] = {}
    for wanted in TABLE:
        for caller in TABLE[wanted]:
            outcome = await company.call(caller, wanted)
            why = await what_is_wrong(company, caller, wanted, outcome)
            if why:
                wrong[f"{caller} at {wanted}"] = why
    assert wrong == {}


@pytest.mark.asyncio(loop_scope="module")
async def test_no_token_of_a_caller_is_kept_or_told_in_clear(company: Company) -> None:
    """X-1: what servers got, and what callers came with, is in no key of Redis, no file of the deployment (logs,
    copies, the tables of Postgres, records among them), no record as it is shown, and no metric.
    """
    secrets = set()
    for wanted in OF_CALLERS:
        for caller in TABLE[wanted]:
            outcome = await company.call(caller, wanted)
            if outcome.status == "ok":
                got = json.loads(outcome.result["content"][0]["text"])
                bearer = got["authorization"].removeprefix("Bearer ")
                secrets |= {bearer, got["x-caller"], company.tokens[caller]} - {""}
    assert len(secrets) > 2 * len(OF_CALLERS)

    async def recorded() -> bool:
        told = await company.admin.items("/records?limit=200&tool=caller_statement")
        return len(told) >= len(TABLE["caller_statement"])

    await eventually(recorded, RECORDED_WITHIN_S, "the calls are in no record")
    kept = await everything_kept(company)
    for place, contents in kept.items():
        assert contents, place
        assert [one for one in secrets if one.encode() in contents] == [], place
    seen = {place for place, contents in kept.items() if b"caller_statement" in contents}
    assert seen >= {"redis", "files", "records"}, "what is told of the calls would be seen"


async def everything_kept(company: Company) -> dict[str, bytes]:
    """All that the deployment keeps and tells of its calls, as it is stored or said."""
    state, up = company.archway.state, company.archway.up
    settings = dict(line.split(maxsplit=1) for line in (state / "redis" / "redis.conf").read_text().splitlines())
    with Redis(port=int(settings["port"]), password=settings["requirepass"]) as redis:
        in_redis = b"\n".join(stored(redis))
    async with company.http.get(str(up["metrics_url"])) as metrics:
        told = await metrics.read()
    records = await company.admin.items("/records?limit=200")
    files = [path.read_bytes() for path in state.rglob("*") if path.is_file() and not path.is_symlink()]
    return {"redis": in_redis, "files": b"\n".join(files), "metrics": told, "records": json.dumps(records).encode()}


@pytest.fixture(scope="module")
def issuers(archway: RunningArchway) -> Iterator[tuple[str, str]]:
    """Of the company's identity provider, and of the authorization server of its servers."""
    back = str(archway.up["proxy_url"]) + CALLBACK
    with running_provider(back) as own, running_provider(back, "upstream") as of_server:
        yield own, of_server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def company(archway: RunningArchway, issuers: tuple[str, str]) -> AsyncIterator[Company]:
    async with McpUpstream(era="modern") as server, aiohttp.ClientSession() as http:
        for wanted in TABLE:
            server.tool(wanted, told_by)
        own, of_server = (IdentityProvider(one, http) for one in issuers)
        await of_server.trust(own.issuer)
        at_server = AtServer(of_server.issuer, AT_SERVER, AT_SERVER_SECRET)
        async with opened(archway, NpmVouches(own, http), at_server, server.url) as made:
            yield made
