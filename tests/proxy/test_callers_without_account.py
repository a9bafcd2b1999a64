"""Callers with an identity provider's own token who have no account, and jobs that call as service accounts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.records import CallRecord
from core.resolve import JwtProof, Principal
from core.snapshot import TokenIssuer, Visibility
from core.tasks import Tasks
from proxy.telemetry.exposition import render
from tests.fakes.issuers import FakeIssuer
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.conftest import MakeRig, Rig
from tests.proxy.test_call_records import arrived

AUDIENCE = "api://archway"
ISSUER = "https://idp.example"
ZOE = Principal("external", "01980000-0000-7000-8000-0000000000e1", f"zoe at {ISSUER}", frozenset({"partners"}))
NIGHTLY = Principal("service", "01980000-0000-7000-8000-0000000000c1", "Nightly", frozenset({"partners"}))
CALLERS = {"somebody without an account": ZOE, "a job": NIGHTLY}
callers = pytest.mark.parametrize("principal", CALLERS.values(), ids=CALLERS)
PARTNERS = Visibility("teams", teams=["partners"])


async def serve(rig: Rig, upstream: McpUpstream, principal: Principal, visibility: Visibility = PARTNERS) -> str:
    """The gateway `g` with one tool, and a token whose bearer is this principal."""
    provider = FakeIssuer(ISSUER, provider_id="p1")
    rig.control.knows(provider)
    await rig.serve(
        [rig.control.tool("t", "echo", rig.control.installation(upstream.url))],
        identity_provider=TokenIssuer("p1", ISSUER, AUDIENCE),
        client_auth_beside=["oauth", "jwt"],
        visibility=visibility,
    )
    jwt = provider.token(aud=AUDIENCE, sub="repo:acme/shop:ref:refs/heads/main")
    client = principal.id if principal.kind == "service" else "agent"
    rig.control.bears(jwt, principal, credential_id="", auth="jwt", client=client, scopes=frozenset())
    return jwt


async def called(rig: Rig, jwt: str, times: int = 4) -> list[int]:
    """The last of these may go by a plan."""
    return [(await rig.call("t", token=jwt)).status for _ in range(times)]


@callers
async def test_they_call_a_tool_and_their_records_name_issuer_and_subject(
    rig: Rig, upstream: McpUpstream, principal: Principal
) -> None:
    jwt = await serve(rig, upstream, principal)
    assert await called(rig, jwt) == [200] * 4
    for record in await arrived(rig, 4):
        assert (record.principal, record.auth) == (principal.key, "jwt")
        assert _at_provider(record) == (ISSUER, "repo:acme/shop:ref:refs/heads/main")


@callers
async def test_metrics_do_not_name_them(
    make_rig: MakeRig, upstream: McpUpstream, tmp_path: Path, principal: Principal
) -> None:
    file = tmp_path / "worker-1.counts"
    async with make_rig(metrics_file=str(file)) as rig:
        await called(rig, await serve(rig, upstream, principal))
        rig.worker.gauges.tell()
        told = render([file]).decode()
    assert 'tool="t"' in told
    assert not any(word in told for word in ("acme", "idp.example", principal.id))


@pytest.mark.parametrize(
    ("principal", "visibility"),
    [
        pytest.param(ZOE, Visibility("organisation"), id="the organisation's, without an account"),
        pytest.param(ZOE, Visibility("teams", teams=["others"]), id="another team's, without an account"),
        pytest.param(NIGHTLY, Visibility("organisation", services=["another"]), id="another client's, for a job"),
    ],
)
async def test_a_gateway_that_is_not_for_them_does_not_exist_for_them(
    rig: Rig, upstream: McpUpstream, principal: Principal, visibility: Visibility
) -> None:
    jwt = await serve(rig, upstream, principal, visibility)
    assert await called(rig, jwt, 2) == [404, 404]
    assert upstream.seen == []
    (record, *_) = await arrived(rig, 1)
    assert _at_provider(record) == (ISSUER, "repo:acme/shop:ref:refs/heads/main")


@pytest.mark.parametrize(
    ("principal", "kind", "name"),
    [(ZOE, "external", ZOE.id), (ZOE, "provider", ISSUER), (NIGHTLY, "client", NIGHTLY.id)],
    ids=["shut out", "its provider changed", "the job's service account was shut out"],
)
async def test_a_call_of_theirs_ends_with_what_it_rests_on(
    rig: Rig, upstream: McpUpstream, principal: Principal, kind: Any, name: str
) -> None:
    upstream.tool("echo", Answer(text="done", hold=asyncio.Event()))
    jwt = await serve(rig, upstream, principal)
    call = Tasks("test").spawn("call", rig.call("t", token=jwt))
    await upstream.wait_for("tools/call")
    rig.control.verdicts.pop(JwtProof.of(jwt).digest)
    await rig.control.announce(kind, name)
    assert (await asyncio.wait_for(call, 10)).refusal["code"] == "access_ended"
    assert await called(rig, jwt, 1) == [401]


def _at_provider(record: CallRecord) -> tuple[str, str]:
    return record.issuer, record.subject
