"""Whose token reaches a server: every cell of the table, with each kind of caller made as it comes to be, a real
identity provider (npm oidc-provider), and the whole product between the caller and a server that says what it got.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from redis import Redis

from control.credentials.whose import TABLE, CallerKind, Uses, Wanted
from core.tokens import digest
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.fixtures_archway import RunningArchway
from tests.fixtures_idp import CALLBACK, running_provider
from tests.fixtures_program import eventually
from tests.fixtures_redis import stored
from tests.fixtures_system import Outcome
from tests.trust.whose_company import KEYS, Company, opened

RECORDED_WITHIN_S = 30
OF_CALLERS: tuple[Wanted, ...] = ("token_exchange", "id_jag", "passthrough", "caller_statement")
"""What is another for each caller."""


def claims_in(token: str) -> dict[str, Any]:
    """What a signed token says; {} for what is none."""
    if token.count(".") != 2:
        return {}
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


def told_by(received: Received) -> Answer:
    named = {name.lower(): value for name, value in received.headers.items()}
    return Answer(text=json.dumps({name: named.get(name, "") for name in ("authorization", "x-caller")}))


async def what_is_wrong(company: Company, caller: CallerKind, wanted: Wanted, outcome: Outcome) -> str:
    """How a call went otherwise than its cell says; '' where it went so."""
    cell = TABLE[wanted][caller]
    if cell.uses is None:
        right = outcome.status == "not_allowed" and cell.refusal in outcome.sentence
        return "" if right else f"{outcome.status}: {outcome.sentence}"
    if outcome.status != "ok":
        return f"{outcome.status}: {outcome.sentence}"
    got = json.loads(outcome.result["content"][0]["text"])
    bearer = got["authorization"].removeprefix("Bearer ")
    right = await is_as_told(company, caller, wanted, cell.uses, bearer, got["x-caller"])
    return "" if right else f"{bearer or 'nothing'} {claims_in(bearer)} {got['x-caller']}"


async def is_as_told(
    company: Company, caller: CallerKind, wanted: Wanted, uses: Uses, bearer: str, statement: str
) -> bool:
    """Whether a server got that."""
    said = claims_in(bearer)
    if uses == "nothing":
        return (bearer, statement) == ("", "")
    if uses == "statement":
        return not bearer and claims_in(statement).get("sub") == await company.key_of(caller)
    if uses == "installation":
        return bearer == KEYS[wanted]
    if wanted == "passthrough":
        return bearer == company.tokens[caller]
    subject = company.subjects[caller]
    of_own = said.get("made_of") == digest(company.tokens[caller])
    if of_own != (uses == "own_token"):
        return False
    if wanted == "id_jag":
        return (said.get("iss"), said.get("sub")) == (company.server_issuer, f"{subject}@{company.idp.issuer}")
    return (said.get("iss"), said.get("sub"), said.get("aud")) == (company.idp.issuer, subject, "crm")


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
    async with McpUpstream(era="modern") as server:
        for wanted in TABLE:
            server.tool(wanted, told_by)
        async with opened(archway, issuers, server.url) as made:
            yield made
