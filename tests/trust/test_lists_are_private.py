"""A server calls a list `public` that depends on who asks (row M-9): callers are told `private`, and what we remember
of it is one caller's."""

from typing import Any

import pytest
from msgspec.structs import replace

from core.snapshot import Visibility
from core.tokens import digest
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import Rig
from tests.proxy.test_offers import offered

TEAM = frozenset({"t"})
PUBLIC = {"cacheScope": "public", "ttlMs": 3_600_000}


def whoever_asks(member: str, key: str) -> Any:
    """One item, named after the credential that came."""

    def answer(received: Received) -> Answer:
        uri = "who://" + received.headers["Authorization"].removeprefix("Bearer ")
        return Answer(result={member: [{key: uri, "name": uri}], **PUBLIC})

    return answer


@pytest.mark.parametrize(
    ("method", "member", "key"),
    [
        pytest.param("resources/list", "resources", "uri", id="M-9: public list of resources"),
        pytest.param(
            "resources/templates/list", "resourceTemplates", "uriTemplate", id="M-9: public list of templates"
        ),
        pytest.param("prompts/list", "prompts", "name", id="M-9: public list of prompts"),
        pytest.param("resources/read", "contents", "uri", id="M-9: public resource"),
    ],
)
async def test_what_a_server_calls_public_is_one_callers_alone(rig: Rig, method: str, member: str, key: str) -> None:
    async with McpUpstream(era="modern") as server:
        server.on(method, whoever_asks(member, key))
        offer = offered(rig, "prompts" if member == "prompts" else "resources", rig.control.installation(server.url))
        tokens = {"ada": rig.control.token(), "bob": rig.control.token()}
        for who, token in tokens.items():
            credential = [("Authorization", f"Bearer {who}")]
            own = rig.control.installation(server.url, credential_headers=credential)
            rig.control.installations[f"{offer.assignment_id}/{digest(token)}"] = own
        await rig.serve([], offers=[offer])
        for _ in range(2):  # asked, and from memory
            for who, token in tokens.items():
                told = (await rig.modern(method, {"uri": "who://me"}, token=token)).result
                assert [one[key] for one in told[member]] == [f"who://{who}"]
                assert told["cacheScope"] == "private"


@pytest.mark.parametrize(
    ("kind", "per_credential"),
    [
        pytest.param("user", True, id="M-9: a list by a person's other token"),
        pytest.param("external", False, id="M-9: a list by another token of somebody without an account"),
    ],
)
async def test_a_list_that_hangs_on_a_caller_s_token_is_that_token_s(
    rig: Rig, kind: Any, *, per_credential: bool
) -> None:
    async with McpUpstream(era="modern") as server:
        server.on("resources/list", whoever_asks("resources", "uri"))
        offer = offered(rig, "resources", rig.control.installation(server.url), per_credential=per_credential)
        tokens = {"wide": rig.control.token(kind, teams=TEAM), "narrow": rig.control.token(kind)}
        wide, narrow = (rig.control.verdicts[digest(one)] for one in tokens.values())
        rig.control.verdicts[narrow.digest] = replace(narrow, principal=wide.principal)
        for name, token in tokens.items():
            credential = [("Authorization", f"Bearer {name}")]
            own = rig.control.installation(server.url, credential_headers=credential)
            rig.control.installations[f"{offer.assignment_id}/{digest(token)}"] = own
        await rig.serve([], offers=[offer], visibility=Visibility("teams", teams=["t"]))
        for _ in range(2):
            for name, token in tokens.items():
                told = (await rig.modern("resources/list", token=token)).result
                assert [one["uri"] for one in told["resources"]] == [f"who://{name}"]


@pytest.mark.parametrize("loading", [pytest.param("all", id="M-9: list of tools"), "search_and_run"])
async def test_the_list_of_tools_is_private(rig: Rig, upstream: McpUpstream, loading: str) -> None:
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))], tool_loading=loading)
    assert (await rig.modern("tools/list")).result["cacheScope"] == "private"
