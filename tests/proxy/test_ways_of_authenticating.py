"""Which ways of authenticating a gateway accepts, as its snapshot says it."""

from __future__ import annotations

from core.snapshot import Visibility
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Rig, eventually

CHALLENGE = (
    'Bearer resource_metadata="http://127.0.0.1:8080/.well-known/oauth-protected-resource/v1/mcp/g", scope="mcp", '
    'error="invalid_token", error_description="This gateway takes no token of this kind."'
)


async def holds(rig: Rig, revision: int) -> bool:
    held = rig.worker.gateways.held("g")
    return held is not None and held.snapshot.revision == revision


async def test_a_gateway_that_takes_no_tokens_any_more_refuses_them_with_a_challenge(
    rig: Rig, upstream: McpUpstream
) -> None:
    tools = [rig.control.tool("t", "echo", rig.control.installation(upstream.url))]
    await rig.serve(tools)
    session = await rig.open_session()
    for _ in range(3):
        assert (await rig.call("t")).status == 200

    gateway = await rig.serve(tools, client_auth=["oauth", "what a later version knows"])
    await eventually(lambda: holds(rig, gateway.revision))

    for refused in (await rig.call("t"), await rig.modern("tools/list"), await rig.legacy("ping", session=session)):
        assert (refused.status, refused.error["code"]) == (401, -31401)
        assert refused.headers["WWW-Authenticate"] == CHALLENGE
        assert "arch_" in refused.error["message"]
    without = await rig.modern("tools/list", headers={"Authorization": "Bearer eyJ.e30.c2ln"})
    assert without.status == 401
    assert "The token is not valid here." in without.headers["WWW-Authenticate"]


async def test_a_gateway_of_others_does_not_say_how_it_wants_its_callers_to_authenticate(rig: Rig) -> None:
    await rig.serve([], visibility=Visibility("teams", teams=["others"]), client_auth=["oauth"])
    assert (await rig.modern("tools/list")).status == 404
