"""What a server is told of the caller, in each lane and by plans: whose it is, and that nothing else comes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from msgspec.structs import replace

from core.tokens import digest
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import Reply, Rig

SAYS: dict[str, Any] = {
    "statement_headers": [("x-user", "user:1"), ("x-user-mail", "")],
    "request_id_header": "x-request-id",
}
ALLOWED = ["x-user", "x-user-mail", "x-request-id", "x.user", "x.user-mail", "x-tenant"]


async def serve(rig: Rig, server: McpUpstream, **fields: Any) -> str:
    """A tool whose server is told who calls; its assignment."""
    server.tool("t", Answer(text="fine"))
    tool = rig.control.tool("t", "t", rig.control.installation(server.url, **SAYS | fields), per_principal=True)
    await rig.serve([tool], header_allowlist=ALLOWED)
    return tool.assignment_id


def id_of(reply: Reply) -> str:
    """Under whatever spelling the client's library has."""
    return next(value for name, value in reply.headers.items() if name.lower() == "x-request-id")


def headers_of(received: Received, name: str) -> list[str]:
    """All values that came under this name, in whatever case."""
    return [value for one, value in received.headers.items() if one.lower() == name]


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_each_call_tells_the_identifier_that_its_answer_has(rig: Rig, era: Any) -> None:
    async with McpUpstream(era=era) as server:
        await serve(rig, server)
        replies = [await rig.call("t", {"n": number}) for number in range(3)]
        calls = server.seen_of("tools/call")[-3:]
        told = [headers_of(call, "x-request-id") for call in calls]
        assert told == [[id_of(reply)] for reply in replies]
        assert len({one for (one,) in told}) == 3
        assert [headers_of(call, "x-user") for call in calls] == [["user:1"]] * 3
        assert server.complaints == []
    if rig.way == "planned":
        assert rig.worker.slots.planned >= 3


@pytest.mark.parametrize(
    "copy",
    [
        {"X-User": "user:2"}, {"x-USER": "user:2"}, {"X_User": "user:2"}, {"X.User": "user:2"},
        {"X-User-Mail": "ceo@corp.test"}, {"x_user-mail": "ceo@corp.test"}, {"X.User-Mail": "ceo@corp.test"},
        {"X-Request-Id": "theirs"}, {"X_Request_Id": "theirs"},
    ],
)  # fmt: skip
async def test_no_copy_of_the_caller_s_goes_on_whatever_the_allowlist_says(rig: Rig, copy: dict[str, str]) -> None:
    async with McpUpstream(era="modern") as server:
        await serve(rig, server)
        reply = await rig.call("t", headers={**copy, "X-Tenant": "eu"})
        sent = {name.lower(): value for name, value in server.seen_of("tools/call")[-1].headers.items()}
        assert not {*copy.values()} & {*sent.values()}
        assert "x-user-mail" not in sent
        told = {name: sent.get(name) for name in ("x-user", "x-request-id", "x-tenant")}
        assert told == {"x-user": "user:1", "x-request-id": id_of(reply), "x-tenant": "eu"}


async def test_two_callers_of_one_installation_are_never_told_of_as_each_other(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        assignment = await serve(rig, server)
        shared = rig.control.installations[assignment]
        tokens = {name: rig.control.token() for name in ("user:1", "user:2")}
        for name, token in tokens.items():
            own = replace(shared, statement_headers=[("x-user", name)])  # type: ignore[type-var]
            rig.control.installations[f"{assignment}/{digest(token)}"] = own
        for _ in range(3):
            for name, token in tokens.items():
                assert (await rig.call("t", token=token)).status == 200
                assert headers_of(server.seen_of("tools/call")[-1], "x-user") == [name]
        # Nor do they share a session, which its server may know one of them by.
        sessions = {
            (call.headers.get("Mcp-Session-Id"), call.headers["x-user"]) for call in server.seen_of("tools/call")
        }
        assert len({session for session, _ in sessions}) == len(sessions) == 2


async def test_a_refused_statement_of_one_caller_never_becomes_another_s(rig: Rig) -> None:
    """One caller's renewal is everybody's where a credential is shared, and nobody else's where it is not."""
    rig.prepared = None
    async with McpUpstream(era="modern") as server:
        assignment = await serve(rig, server)
        shared = rig.control.installations[assignment]
        tokens = {name: rig.control.token() for name in ("user:1", "user:2")}
        for name, token in tokens.items():
            principal = rig.control.verdicts[digest(token)].principal
            assert principal is not None
            own = replace(shared, statement_headers=[("x-user", name)], made_for=principal.key)  # type: ignore[type-var]
            rig.control.installations[f"{assignment}/{digest(token)}"] = own
            assert (await rig.call("t", token=token)).status == 200

        async def renews(asked: Any) -> Any:
            return replace(rig.control.installations[f"{assignment}/{asked.digest}"], version=2)

        rig.control.renews = renews
        server.tool("t", Answer(status=401, headers={"WWW-Authenticate": "Bearer"}))
        for name, token in tokens.items():
            await rig.call("t", token=token)
            assert headers_of(server.seen_of("tools/call")[-1], "x-user") == [name]
        assert [one.digest for one in rig.control.renewals] == [digest(token) for token in tokens.values()]


async def test_a_statement_that_is_about_to_end_is_not_sent_and_another_is_asked_for(rig: Rig) -> None:
    rig.prepared = None
    async with McpUpstream(era="modern") as server:
        assignment = await serve(rig, server, expires_at=time.time() + 4)
        await rig.call("t")
        newer = rig.control.installation(
            server.url, **SAYS | {"statement_headers": [("x-user", "again")], "expires_at": time.time() + 60}
        )
        rig.control.installations[assignment] = newer
        await rig.call("t")
        assert headers_of(server.seen_of("tools/call")[-1], "x-user") == ["again"]
