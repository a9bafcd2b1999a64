"""What a caller must not see or use (row P-4): it looks as though it did not exist."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from core.identifiers import new_id
from core.snapshot import Rule, Visibility
from tests.fakes.control import FakeControl
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Reply, Rig, eventually

METHODS = ["tools/list", "tools/call", "server/discover"]


async def ask(rig: Rig, gateway: str, method: str) -> Reply:
    return await rig.modern(method, {"name": "t", "arguments": {}}, gateway=gateway)


def without_request_id(reply: Reply) -> object:
    said = reply.json
    assert said["error"].pop("data").keys() == {"request_id"}
    return said


async def looks_like_nothing(rig: Rig, name: str, method: str) -> None:
    """As a name that nobody ever gave, in status, body and headers; and, once seen, as quick: from memory."""
    unknown = new_id()[: len(name)]
    for _ in range(2):
        hidden, nothing = await ask(rig, name, method), await ask(rig, unknown, method)
        assert (hidden.status, nothing.status) == (404, 404)
        assert without_request_id(hidden) == without_request_id(nothing)
        assert hidden.headers.keys() == nothing.headers.keys()
        rig.control.asked.clear()
    await ask(rig, name, method)
    await ask(rig, unknown, method)
    assert rig.control.asked == []


@pytest.mark.parametrize("_row", [pytest.param(0, id="P-4: gateway of another team")])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("by", ["slug", "id"])
async def test_a_gateway_of_another_team_is_unknown(rig: Rig, by: str, method: str, _row: int) -> None:
    theirs = await rig.serve([], slug="theirs", visibility=Visibility("teams", ["another"]))
    await looks_like_nothing(rig, theirs.slug if by == "slug" else theirs.id, method)


async def test_a_personal_gateway_is_unknown_to_everybody_else(rig: Rig) -> None:
    await rig.serve([], slug="mine", visibility=Visibility("personal", owner=new_id()))
    await looks_like_nothing(rig, "mine", "tools/list")


@pytest.fixture
async def another_organisation(rig: Rig) -> AsyncIterator[FakeControl]:
    """Another deployment that uses the same Redis: it has keys of its own."""
    redis: Redis = Redis.from_url(rig.redis.url, protocol=2)
    yield FakeControl(redis)
    await redis.aclose()


@pytest.mark.parametrize("_row", [pytest.param(0, id="P-4: gateway of another organisation")])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("by", ["slug", "id"])
async def test_a_gateway_of_another_organisation_is_unknown(
    rig: Rig, another_organisation: FakeControl, by: str, method: str, _row: int
) -> None:
    ours = await rig.serve([])
    theirs = another_organisation.gateway("theirs", [])
    await another_organisation.publish(theirs)

    await looks_like_nothing(rig, theirs.slug if by == "slug" else theirs.id, method)
    assert (await rig.modern("tools/list", gateway=ours.id)).status == 200


@pytest.mark.parametrize("_row", [pytest.param(0, id="P-4: gateway deleted")])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("by", ["slug", "id"])
async def test_a_deleted_gateway_is_unknown(rig: Rig, by: str, method: str, _row: int) -> None:
    gone = await rig.serve([], slug="gone")
    assert (await ask(rig, "gone", "tools/list")).status == 200
    del rig.control.gateways[gone.id]
    await rig.control.announce("gateway", gone.id, -1)

    async def applied() -> bool:
        return rig.worker.deps.gateways.held("gone") is None

    await eventually(applied)
    await looks_like_nothing(rig, gone.slug if by == "slug" else gone.id, method)


@pytest.mark.parametrize("_row", [pytest.param(0, id="P-4: tool hidden from the list but called")])
async def test_what_the_list_hides_cannot_be_called(rig: Rig, upstream: McpUpstream, _row: int) -> None:
    """A tool of the same server that is not assigned, one of another gateway, and one in quarantine."""
    connection = rig.control.installation(upstream.url)
    upstream.tool("unassigned", [])
    await rig.serve([rig.control.tool("elsewhere", "echo", connection)], slug="other")
    await rig.serve(
        [rig.control.tool("t", "echo", connection), rig.control.tool("bad", "echo", connection)],
        rules=[Rule("refuse", "quarantined", ["bad"])],
    )
    session = await rig.open_session()

    listed = [tool["name"] for tool in (await rig.modern("tools/list")).result["tools"]]
    assert listed == ["t"]
    nowhere = (await rig.call("nowhere")).error
    del nowhere["data"]
    for name in ("unassigned", "elsewhere"):
        for reply in (
            await rig.call(name),
            await rig.legacy("tools/call", {"name": name, "arguments": {}}, session=session),
        ):
            assert reply.status == 200
            error = reply.error
            assert error.pop("data").keys() == {"request_id"}  # another with each request
            assert error == nowhere | {"message": nowhere["message"].replace("nowhere", name)}
            assert error["code"] == -32602
    assert (await rig.call("bad")).refusal["code"] == "quarantined"
    assert upstream.seen == []
