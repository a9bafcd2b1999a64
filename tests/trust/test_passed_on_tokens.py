"""A caller's own token of their identity provider, passed on: to the server whose entry asks for it, by nobody's word
but control's, and to nothing else (rows P-1, P-3 and A-6). `tests/unit/control/credentials/test_given.py` has which
tokens control lets go on.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.resolve import InstallationRefusal, JwtProof, Principal
from core.snapshot import TokenIssuer, Tool
from tests.fakes.issuers import FakeIssuer
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import Reply, Rig

PROVIDER = FakeIssuer("https://idp.example", provider_id="p1")
AUDIENCE = "api://archway"


def bearers(received: Received) -> list[str]:
    return [value for name, value in received.headers.items() if name.lower() == "authorization"]


class PassedOn:
    """A tool whose server gets the caller's own token, beside one whose server does not."""

    def __init__(self, rig: Rig, server: McpUpstream, other: McpUpstream, **fields: Any) -> None:
        self.rig, self.person = rig, Principal("user", "ann", "Ann")
        self._wanted = rig.control.installation(server.url, caller_token=True, **fields)
        self.tool: Tool = rig.control.tool("t", "t", self._wanted, per_principal=True, per_credential=True)
        self.beside = rig.control.tool("beside", "t", rig.control.installation(other.url))
        for one in (server, other):
            one.tool("t", Answer(text="fine"))

    async def serve(self, **more: Any) -> None:
        self.rig.control.knows(PROVIDER)
        named = TokenIssuer("p1", PROVIDER.name, AUDIENCE)
        ways = {"client_auth_beside": ["oauth", "jwt"], "identity_provider": named}
        await self.rig.serve([self.tool, self.beside], **ways, **more)

    def token(self, **claims: Any) -> str:
        """A token of the provider's, of the same person each time, and control's word that it may go on."""
        token = PROVIDER.token(aud=AUDIENCE, **claims)
        self.rig.control.bears(token, self.person, auth="jwt")
        digest = JwtProof.of(token).digest
        self.rig.control.installations[f"{self.tool.assignment_id}/{digest}"] = replace(self._wanted, made_for=digest)
        return token

    async def call(self, token: str, tool: str = "t", **more: Any) -> Reply:
        return await self.rig.call(tool, token=token, **more)


@pytest.mark.parametrize(
    "era",
    [
        pytest.param("modern", id="P-1: passed on to a modern server"),
        pytest.param("legacy", id="P-1: passed on to a legacy server"),
    ],
)
async def test_it_goes_to_the_server_that_asks_for_it_and_to_no_other(rig: Rig, era: Any) -> None:
    async with McpUpstream(era=era) as server, McpUpstream(era=era) as other:
        served = PassedOn(rig, server, other)
        await served.serve(header_allowlist=["authorization"])
        token = served.token()
        for _ in range(3):
            assert (await served.call(token)).status == 200
            assert (await served.call(token, "beside")).status == 200
        assert {tuple(bearers(one)) for one in server.seen} == {(f"Bearer {token}",)}
        assert not [one for one in other.seen if token in f"{one.headers} {one.raw!r}"]
    if rig.way == "planned":
        assert rig.worker.slots.planned >= 3


@pytest.mark.parametrize("isolation", ["principal", "shared"])
@pytest.mark.parametrize(
    "era",
    [
        pytest.param("modern", id="P-3: two tokens of one person"),
        pytest.param("legacy", id="P-3: two tokens of one person, in sessions"),
    ],
)
async def test_each_call_brings_the_very_token_that_it_came_with(rig: Rig, era: Any, isolation: Any) -> None:
    async with McpUpstream(era=era) as server, McpUpstream(era=era) as other:
        served = PassedOn(rig, server, other, isolation=isolation)
        await served.serve()
        first, second = served.token(scope="read"), served.token(scope="write")
        for token in (first, second, first, second):
            assert (await served.call(token)).status == 200
            assert bearers(server.seen_of("tools/call")[-1]) == [f"Bearer {token}"]
        if era == "legacy":
            sessions = {one.session: bearers(one)[0] for one in server.seen_of("tools/call")}
            assert len(sessions) == 2, "what was opened with one of them serves no call with the other"


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(307, id="P-1: passed on, and redirected"),
        pytest.param(308, id="P-1: passed on, and redirected for good"),
    ],
)
async def test_a_redirect_takes_it_nowhere(rig: Rig, status: int) -> None:
    rig.prepared = None
    async with McpUpstream(era="modern") as server, McpUpstream(era="modern") as other:
        served = PassedOn(rig, server, other)
        await served.serve()
        token = served.token()
        assert (await served.call(token)).status == 200
        server.tool("t", Answer(status=status, headers={"Location": other.url}))
        await served.call(token)
        assert other.seen == []


@pytest.mark.parametrize("_", [pytest.param(None, id="P-1: passed on, and refused by the server")])
async def test_a_server_that_refuses_it_is_asked_once_and_control_not_at_all(rig: Rig, _: None) -> None:
    rig.prepared = None
    async with McpUpstream(era="modern") as server, McpUpstream(era="modern") as other:
        served = PassedOn(rig, server, other)
        await served.serve()
        token = served.token()
        assert (await served.call(token)).status == 200
        before = len(server.seen_of("tools/call"))
        server.tool("t", Answer(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}))
        for number in (1, 2):
            reply = await served.call(token)
            assert reply.status == 200
            assert reply.result["isError"] is True
            assert len(server.seen_of("tools/call")) == before + number
        assert rig.control.renewals == []


@pytest.mark.parametrize("_", [pytest.param(None, id="A-6: passed on, where control says it is for another")])
async def test_what_control_does_not_let_go_on_reaches_no_server(rig: Rig, _: None) -> None:
    rig.prepared = None
    async with McpUpstream(era="modern") as server, McpUpstream(era="modern") as other:
        served = PassedOn(rig, server, other)
        await served.serve()
        token = served.token()
        said = InstallationRefusal("not_allowed", "CRM takes the identity provider's tokens that are for 'crm'.")
        rig.control.installations[f"{served.tool.assignment_id}/{JwtProof.of(token).digest}"] = said
        reply = await served.call(token)
        assert "for 'crm'" in reply.result["content"][0]["text"]
        assert server.seen == []


@pytest.mark.parametrize("_", [pytest.param(None, id="P-1: passed on, where an access token of ours comes")])
async def test_no_token_of_archways_is_put_in_whatever_control_says(rig: Rig, _: None) -> None:
    """Control never says so of such a caller (`whose.py`); a proxy that is told so all the same has only a digest."""
    rig.prepared = None
    async with McpUpstream(era="modern") as server, McpUpstream(era="modern") as other:
        served = PassedOn(rig, server, other)
        await served.serve()
        await served.call(rig.token)
        assert not [one for one in server.seen if bearers(one)]


@pytest.mark.parametrize("_", [pytest.param(None, id="P-1: passed on, and copied")])
async def test_it_is_in_no_copy_of_what_is_remembered(rig: Rig, _: None) -> None:
    async with McpUpstream(era="modern") as server, McpUpstream(era="modern") as other:
        served = PassedOn(rig, server, other)
        await served.serve()
        token = served.token()
        assert (await served.call(token)).status == 200
        held = dict(rig.worker.deps.installations.resolved.memory.items())
        assert len(held) == 1
        for aged in held.values():
            assert aged.value.credential_headers == []
            assert token.rpartition(".")[2] not in repr(aged)
