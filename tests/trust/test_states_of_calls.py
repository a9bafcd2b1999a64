"""States of calls that were answered with a question (row M-8): a state opens for the call that it was given to, and
for nothing else; what a server gave goes back to that server alone."""

import base64
import time
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from core.keys import new_key, parse_key_ring
from core.mcp.faults import INVALID_PARAMS
from core.resolve import ResolvedInstallation
from proxy.sessions import call_state, elsewhere
from proxy.sessions.call_state import LIFETIME_S, CallState, close_state
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import Reply, Rig, eventually

CAN = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
FORM = {"message": "Which city?", "requestedSchema": {"type": "object", "properties": {"city": {"type": "string"}}}}
ASKS: dict[str, Any] = {"method": "elicitation/create", "params": FORM}
PARIS = {"action": "accept", "content": {"city": "Paris"}}
ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])


def _modern(received: Received) -> Answer:
    if "inputResponses" in received.params:
        return Answer(text=str(received.params.get("requestState")))
    return Answer(result={"resultType": "input_required", "inputRequests": {"a": ASKS}, "requestState": "theirs"})


async def serve(rig: Rig, server: McpUpstream) -> None:
    legacy = Answer(asks=("elicitation/create", FORM), then=lambda _: Answer(text="theirs"))
    server.tool("ask", _modern if server.era == "modern" else legacy)
    held = rig.control.installation(server.url)
    tools = [rig.control.tool(name, "ask", held) for name in ("t", "twin")]
    await rig.serve(tools)
    await rig.serve(tools, slug="other")


async def call(rig: Rig, tool: str = "t", arguments: dict[str, Any] | None = None, **more: Any) -> Reply:
    where = {name: more.pop(name) for name in ("token", "gateway") if name in more}
    return await rig.modern("tools/call", {"name": tool, "arguments": arguments or {}, **more}, meta=CAN, **where)


async def asked(rig: Rig) -> dict[str, Any]:
    """What goes back with the answer: the answers and the state."""
    told = (await call(rig)).result
    assert told["resultType"] == "input_required"
    return {"inputResponses": dict.fromkeys(told["inputRequests"], PARIS), "requestState": told["requestState"]}


def calls_of(server: McpUpstream) -> int:
    return len([one for one in server.seen_of("tools/call") if not one.prepares])


def refused(reply: Reply) -> bool:
    return (reply.status, reply.error["code"]) == (200, INVALID_PARAMS)


def _other_key(_: str) -> str:
    """Ours in form, sealed by somebody else."""
    return close_state(parse_key_ring("KEY", new_key()), CallState.of(1, theirs="evil"), ("g",))


def _flipped(state: str) -> str:
    sealed = bytearray(base64.urlsafe_b64decode(state))
    sealed[-1] ^= 1
    return base64.urlsafe_b64encode(sealed).decode()


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(_other_key, id="M-8: forged state"),
        pytest.param(_flipped, id="M-8: state with a bit flipped"),
        pytest.param(lambda state: state[:-8], id="M-8: state cut short"),
        pytest.param(lambda _: "theirs", id="M-8: the server's state by itself"),
        pytest.param(lambda _: {"theirs": 1}, id="M-8: state that is no text"),
        pytest.param(lambda _: "A" * 300_000, id="M-8: state over the cap"),
    ],
)
@ERAS
async def test_a_state_that_we_did_not_make_is_refused_and_nothing_is_sent(rig: Rig, era: Any, forge: Any) -> None:
    async with McpUpstream(era=era) as server:
        await serve(rig, server)
        back = await asked(rig)
        before = calls_of(server)
        assert refused(await call(rig, **{**back, "requestState": forge(back["requestState"])}))
        assert calls_of(server) == before
        assert (await call(rig, **back)).result["content"][0]["text"] == "theirs"


@pytest.mark.parametrize(
    "where",
    [
        pytest.param({"token": "another"}, id="M-8: state of another caller"),
        pytest.param({"gateway": "other"}, id="M-8: state for another gateway"),
        pytest.param({"tool": "twin"}, id="M-8: state for another tool"),
        pytest.param({"arguments": {"n": 2}}, id="M-8: state for other arguments"),
    ],
)
@ERAS
async def test_a_state_is_good_for_nothing_but_its_own_call(rig: Rig, era: Any, where: dict[str, Any]) -> None:
    async with McpUpstream(era=era) as server:
        await serve(rig, server)
        back = await asked(rig)
        before = calls_of(server)
        token = {"token": rig.control.token()} if "token" in where else {}
        assert refused(await call(rig, **{**back, **where, **token}))
        assert calls_of(server) == before
        assert (await call(rig, **back)).result["content"][0]["text"] == "theirs"


@pytest.mark.parametrize("seconds", [pytest.param(LIFETIME_S + 1, id="M-8: state expired")])
@ERAS
async def test_a_state_is_too_old_after_a_while(
    rig: Rig, era: Any, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with McpUpstream(era=era) as server:
        await serve(rig, server)
        back = await asked(rig)
        before = calls_of(server)
        monkeypatch.setattr(call_state, "time", SimpleNamespace(time=lambda: time.time() + seconds))
        assert refused(await call(rig, **back))
        assert calls_of(server) == before


@pytest.mark.parametrize("times", [pytest.param(2, id="M-8: state replayed")])
async def test_a_call_that_waited_goes_on_once_and_is_never_made_again(
    rig: Rig, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a modern server gave goes to it as often as it is sent: it alone knows whether that is too often.
    async with McpUpstream(era="legacy") as server:
        await serve(rig, server)
        back = await asked(rig)
        assert (await call(rig, **back)).result["content"][0]["text"] == "theirs"
        monkeypatch.setattr(elsewhere, "FOUND_S", 0.1)  # no other worker will say that it has the call
        for _ in range(times):
            assert (await call(rig, **back)).refusal["code"] == "question_gone"
        assert calls_of(server) == 1


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"url": "moved"}, id="M-8: state once the server has moved"),
        pytest.param(
            {"credential_headers": [("authorization", "Bearer another")]},
            id="M-8: state once another account is used",
        ),
        pytest.param({"signed_in_at": 6.0}, id="M-8: state once another account is used-at its provider"),
    ],
)
@ERAS
async def test_a_state_goes_to_no_other_place_than_it_came_from(rig: Rig, era: Any, changed: dict[str, Any]) -> None:
    async with McpUpstream(era=era) as server, McpUpstream(era=era) as another:
        await serve(rig, server)
        back = await asked(rig)
        before = calls_of(server)
        fields = {**changed, "url": another.url} if "url" in changed else changed
        await now_is(rig, **fields)
        assert refused(await call(rig, **back))
        assert (calls_of(server), calls_of(another)) == (before, 0)


@ERAS
async def test_a_token_that_was_renewed_meanwhile_is_of_the_same_account(rig: Rig, era: Any) -> None:
    async with McpUpstream(era=era) as server:
        await serve(rig, server)
        await now_is(rig, signed_in_at=5.0)
        back = await asked(rig)
        await now_is(rig, credential_headers=[("authorization", "Bearer newer")])
        assert (await call(rig, **back)).result["content"][0]["text"] == "theirs"


async def now_is(rig: Rig, **changed: Any) -> None:
    """From now on the installation is so, and the worker knows it."""
    (held, *_) = rig.control.installations.values()
    assert isinstance(held, ResolvedInstallation)
    newer = replace(held, version=held.version + 1, **changed)
    rig.control.installations = dict.fromkeys(rig.control.installations, newer)
    await rig.control.announce("installation", held.installation_id)

    async def heard() -> bool:
        return rig.worker.changes.number >= rig.control.number

    await eventually(heard)
