"""Whose credential goes where.

Rows P-1 (the caller's token stays here), P-3 (A's credential is never B's) and the half of M-10 at call time.
"""

from typing import Any

import pytest

from core import redis_names
from core.identifiers import new_id
from core.resolve import ResolvedInstallation
from core.tokens import digest
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import MakeRig, Rig


def all_of(received: Received) -> str:
    return f"{received.path} {list(received.headers.items())} {received.raw!r}"


async def everything_that_a_server_gets(
    rig: Rig, *, era: str, allowlist: list[str] | None = None, resource: bool = False, **fields: Any
) -> str:
    """Calls by callers of both eras, on good paths and bad ones, and what all of it put on the server's wire."""
    async with McpUpstream(era=era) as server:
        server.tool("t", [Answer(text="fine", progress=2), Answer(error=(-32603, "no")), Answer(status=500)])
        server.on("resources/read", Answer(result={"contents": []}))
        kind = {"kind": "resource"} if resource else {}
        tool = rig.control.tool(
            "t", "x:y" if resource else "t", rig.control.installation(server.url, **fields), **kind
        )
        await rig.serve([tool], header_allowlist=allowlist or [])
        session = await rig.open_session()
        for _ in range(2):
            await rig.call("t", meta={"progressToken": 1}, headers={"X-Trace": "on", "Connection": "authorization"})
            await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)
        assert server.seen
        return "\n".join(map(all_of, server.seen))


@pytest.mark.parametrize(
    ("era", "more"),
    [
        pytest.param("modern", {}, id="P-1: modern upstream"),
        pytest.param("legacy", {}, id="P-1: legacy upstream"),
        pytest.param(
            "both", {"credential_headers": [("Authorization", "Bearer theirs")]}, id="P-1: upstream with a credential"
        ),
        pytest.param(
            "both", {"allowlist": ["authorization", "x-trace"]}, id="P-1: allowlist that names authorization"
        ),
        pytest.param("both", {"resource": True}, id="P-1: read-resource tool"),
    ],
)
async def test_the_callers_token_stays_here(rig: Rig, era: str, more: dict[str, Any]) -> None:
    wire = await everything_that_a_server_gets(rig, era=era, **more)

    assert rig.token not in wire
    assert rig.token.removeprefix("arch_")[:16] not in wire
    assert digest(rig.token) not in wire
    if "credential_headers" in more:
        assert "Bearer theirs" in wire
    if "allowlist" in more:
        assert "'on'" in wire


def per_caller(rig: Rig, server: McpUpstream, callers: dict[str, str]) -> Any:
    """A tool that each caller reaches with a credential of their own."""
    entry = new_id()
    tool = rig.control.tool("t", "t", rig.control.installation(server.url, entry_id=entry), per_principal=True)
    for token, secret in callers.items():
        own = rig.control.installation(server.url, entry_id=entry, credential_headers=[("X-Key", secret)])
        rig.control.installations[f"{tool.assignment_id}/{digest(token)}"] = own
    return tool


def secret_of(received: Received) -> Answer:
    return Answer(text=received.headers.get("X-Key", "none"))


@pytest.mark.parametrize("_row", [pytest.param(0, id="P-3: cached in memory")])
async def test_each_caller_gets_their_own_credential_from_memory(rig: Rig, _row: int) -> None:
    alice, bob, nobody = rig.token, rig.control.token(), rig.control.token("team")
    async with McpUpstream(era="modern") as server:
        server.tool("t", secret_of)
        await rig.serve([per_caller(rig, server, {alice: "key-of-alice", bob: "key-of-bob"})])

        for _ in range(3):
            for token, own in ((alice, "key-of-alice"), (bob, "key-of-bob"), (nobody, "none")):
                assert (await rig.call("t", token=token)).result["content"][0]["text"] == own
        assert rig.control.asked.count("/internal/connection") == 3


@pytest.mark.parametrize("_row", [pytest.param(0, id="P-3: cached in Redis, keys exchanged")])
async def test_a_copy_in_redis_opens_for_its_owner_alone(rig: Rig, _row: int) -> None:
    alice, bob = rig.token, rig.control.token()
    async with McpUpstream(era="modern") as server:
        server.tool("t", secret_of)
        await rig.serve([per_caller(rig, server, {alice: "key-of-alice", bob: "key-of-bob"})])
        for token in (alice, bob):
            await rig.call("t", token=token)
        resolved = rig.worker.deps.installations.resolved
        with rig.redis.client() as redis:
            keys = list(redis.scan_iter(redis_names.installation_key("") + "*"))
            assert len(keys) == 2
            values = redis.mget(keys)
            redis.mset(dict(zip(keys, reversed(values), strict=True)))
        resolved.memory.drop_where(lambda _key, _value: True)

        for token, own in ((alice, "key-of-alice"), (bob, "key-of-bob")):
            assert (await rig.call("t", token=token)).result["content"][0]["text"] == own
        assert rig.control.asked.count("/internal/connection") == 4


@pytest.mark.parametrize("_row", [pytest.param(0, id="P-3: upstream session of A")])
@pytest.mark.parametrize("isolation", ["principal", "client_session"])
async def test_one_callers_upstream_session_is_never_anothers(rig: Rig, isolation: Any, _row: int) -> None:
    """Even of one installation that both may use."""
    alice, bob = rig.token, rig.control.token()
    async with McpUpstream(era="legacy") as server:
        await rig.serve([rig.control.tool("t", "echo", rig.control.installation(server.url, isolation=isolation))])
        for token in (alice, bob, alice, bob):
            session = await rig.open_session(token=token)
            await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session, token=token)

        used = [call.session for call in server.seen_of("tools/call")]
        assert len(set(used)) == (2 if isolation == "principal" else 4)
        assert used[0] != used[1]


async def test_a_session_is_shared_only_where_the_entry_says_so(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        await rig.serve([rig.control.tool("t", "echo", rig.control.installation(server.url, isolation="shared"))])
        for token in (rig.token, rig.control.token()):
            await rig.call("t", token=token)

        assert len({call.session for call in server.seen_of("tools/call")}) == 1


CALL_TIME = {
    "Authorization": "Authorization",
    "Cookie": "Cookie",
    "Host": "Host",
    "Content-Length": "Content-Length",
    "Mcp-*": "Mcp-Name",
    "traceparent": "traceparent",
    "X-Api-Key": "X-Api-Key",
}


@pytest.mark.parametrize(
    "header", [pytest.param(name, id=f"M-10: call time: {shown}") for shown, name in CALL_TIME.items()]
)
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_name_that_slipped_onto_the_allowlist_does_not_pass(make_rig: MakeRig, era: str, header: str) -> None:
    """And where our own headers have that name, there is one, and it is ours.

    A trace context passes by rules of its own, where the settings let it; an allowlist does not make it pass.
    """
    from_caller = {
        "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        "Cookie": "from=caller",
        "X-Api-Key": "callers",
    }
    async with McpUpstream(era=era) as server, make_rig(trace_to_remote=False) as rig:
        ours = {"Authorization": "Bearer ours", "Cookie": "ours=1"}
        credential = [(header, ours[header])] if header in ours else []
        connection: ResolvedInstallation = rig.control.installation(server.url, credential_headers=credential)
        await rig.serve([rig.control.tool("t", "echo", connection)], header_allowlist=[header.lower()])
        sent = {header: from_caller[header]} if header in from_caller else {}

        answered = await rig.call("t", headers=sent)

        assert answered.result["content"]
        assert server.complaints == []
        for received in server.seen:
            values = received.headers.getall(header, [])  # type: ignore[attr-defined]  # a CIMultiDictProxy
            assert len(values) <= 1
            assert not set(values) & set(from_caller.values())
            if header in ours:
                assert values == [ours[header]]
            assert rig.token not in str(values)
            assert header != "Host" or values == [f"127.0.0.1:{server.port}"]


async def test_the_credential_wins_over_the_entry_and_the_entry_over_the_caller(rig: Rig) -> None:
    """In every request to the server, whatever the case of the names: lists, sessions and probes included."""
    async with McpUpstream(era="both") as server:
        connection = rig.control.installation(
            server.url,
            fixed_headers=[("X-A", "entry"), ("X-B", "entry")],
            credential_headers=[("x-b", "credential")],
        )
        await rig.serve([rig.control.tool("t", "echo", connection)], header_allowlist=["x-a", "x-b", "x-c", "x-d"])

        await rig.call(
            "t", headers={"X-A": "caller", "X-B": "caller", "X-C": "caller", "X-D": "hop", "Connection": "x-d"}
        )

        probe, call = server.seen
        for received in (probe, call):
            headers = [(name.lower(), value) for name, value in received.headers.items()]
            assert [value for name, value in headers if name == "x-a"] == ["entry"]
            assert [value for name, value in headers if name == "x-b"] == ["credential"]
        assert call.headers["X-C"] == "caller"
        assert "X-C" not in probe.headers
        assert "X-D" not in call.headers


@pytest.mark.parametrize(("stdio", "passthrough"), [(True, True), (False, False)])
async def test_nothing_of_the_caller_goes_to_a_stdio_server_or_an_entry_that_opted_out(
    rig: Rig, stdio: bool, passthrough: bool
) -> None:
    async with McpUpstream(era="both") as server:
        connection = rig.control.installation(server.url, credential_headers=[("x-key", "ours")])
        tool = rig.control.tool("t", "echo", connection, stdio=stdio, passthrough=passthrough)
        await rig.serve([tool], header_allowlist=["x-a"])

        await rig.call("t", headers={"X-A": "caller"})

        assert "X-A" not in server.seen[-1].headers
        assert server.seen[-1].headers["X-Key"] == "ours"
