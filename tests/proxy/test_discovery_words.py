"""What a discovery that failed tells an admin: what happened, what to do, and what the server said."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from archway.up.ports import free_port
from core.mcp.versions import MODERN
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_upstreams import ROOT, answering, running
from tests.plugins.moved_clock import MovedClock
from tests.proxy.test_discovery_questions import Asker, asker

__all__ = ["asker"]

DATA = {"needs": "X-Region"}


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a real server: FastMCP mounted in Starlette, beside one of the transport of 2024-11-05."""
    port, log = free_port(), tmp_path_factory.mktemp("mounted") / "log"
    command = [sys.executable, "-m", "tests.fakes.mounted_server", str(port)]
    environment = {"FASTMCP_CHECK_FOR_UPDATES": "off", "PYTHONPATH": str(ROOT)}
    with running(command, environment, log) as process:
        yield answering(f"http://127.0.0.1:{port}/mcp", process, log).removesuffix("/mcp")


@pytest.mark.parametrize("era", ["modern", "legacy", "legacy-stateless"])
@pytest.mark.parametrize(
    ("answer", "fault", "said"),
    [
        (Answer(error=(-32000, "No region", DATA)), "upstream_error", 'It said: No region ({"needs":"X-Region"})'),
        (Answer(error=(-32603, "boom", "why"), stream=True), "upstream_error", "It said: boom (why)"),
        (Answer(error=(-32601, "No such method"), status=404), "upstream_error", "It said: No such method"),
        (Answer(error=(-32000, "Bad", DATA), status=400), "upstream_error", 'It said: Bad ({"needs":"X-Region"})'),
        (Answer(raw=b"No region\n", status=400), "upstream_status", "It said: No region"),
        (Answer(raw=b'{"detail":"Not here"}', status=404), "upstream_status", "It said: Not here"),
        (Answer(raw=b"<h1>Bad gateway</h1>", status=502), "upstream_status", "It said: Bad gateway"),
        (
            Answer(raw=b"data: too early\n\n", status=409, headers={"Content-Type": "text/event-stream"}),
            "upstream_status",
            "It said: too early",
        ),
    ],
)
async def test_the_words_of_a_refused_list_are_told(
    asker: Asker, era: Any, answer: Answer, fault: str, said: str
) -> None:
    async with McpUpstream(era=era) as server:
        server.on("tools/list", answer)
        found = await asker.probe(asker.control.installation(server.url))
    assert found.fault == fault
    assert found.sentence.endswith(said)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(error=(-32000, "No tenant", DATA)), 'It said: No tenant ({"needs":"X-Region"})'),
        (Answer(error=(-32000, "No tenant", DATA), status=400), 'It said: No tenant ({"needs":"X-Region"})'),
        (Answer(raw=b"No tenant", status=422), "It said: No tenant"),
        (Answer(raw=b'{"error":"unauthorized"}', status=401), "It said: unauthorized"),
    ],
)
async def test_the_words_of_a_refused_beginning_are_told(asker: Asker, answer: Answer, said: str) -> None:
    async with McpUpstream(era="legacy") as server:
        server.on("initialize", answer)
        found = await asker.probe(asker.control.installation(server.url))
    assert found.sentence.endswith(said)


async def test_an_answer_that_is_no_mcp_says_what_is_wrong_with_it(asker: Asker) -> None:
    async with McpUpstream(era="modern") as server:
        server.on("tools/list", Answer(result={"toolz": []}))
        found = await asker.probe(asker.control.installation(server.url))
    assert "What is wrong: tools/list without tools." in found.sentence


async def test_a_web_page_is_a_wrong_path(asker: Asker) -> None:
    page = Answer(raw=b"<!doctype html><title>Welcome</title>", headers={"Content-Type": "text/html"})
    async with McpUpstream(era="legacy") as server:
        server.on("initialize", page)
        server.on("server/discover", page)
        found = await asker.probe(asker.control.installation(server.url))
    assert "Check the path of the URL." in found.sentence


@pytest.mark.parametrize("protocol", ["auto", "legacy"])
async def test_an_answer_beyond_the_cap_of_a_first_question_is_told_with_that_cap(
    asker: Asker, protocol: Any
) -> None:
    async with McpUpstream(era="legacy") as server:
        server.on("initialize", Answer(result={"protocolVersion": "2025-11-25", "instructions": "x" * (1 << 20)}))
        found = await asker.probe(asker.control.installation(server.url, protocol=protocol))
    assert found.sentence == "server sent an answer that is larger than 1048576 bytes."


@pytest.mark.parametrize("pin", ["legacy", MODERN])
async def test_a_server_that_is_silent_is_told_with_the_seconds_that_it_had(
    asker: Asker, clock: MovedClock, pin: Any
) -> None:
    hold = asyncio.Event()
    async with McpUpstream(era="both") as server, asyncio.TaskGroup() as group:
        server.on("tools/list", Answer(hold=hold))
        installation = asker.control.installation(server.url, protocol=pin)
        asking = group.create_task(asker.probe(installation, seconds=6))
        await server.wait_for("tools/list")
        clock.pass_by(7)
        found = await asking
        if pin == "legacy":
            await server.wait_for("notifications/cancelled")
        hold.set()
    assert found.fault == "upstream_slow"
    assert found.sentence.startswith("server did not answer within 6 s.")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["server/discover", "tools/list"])
async def test_a_redirect_is_offered_and_not_followed(asker: Asker, status: int, method: str) -> None:
    async with McpUpstream(era="modern") as server:
        server.on(method, Answer(status=status, headers={"Location": "/elsewhere/"}))
        found = await asker.probe(asker.control.installation(server.url))
        assert found.sentence == (
            f"server answered with HTTP status {status}. It redirects to {server.origin}/elsewhere/: enter that URL."
        )
        assert {one.path for one in server.seen} == {"/mcp"}
        assert len(server.seen_of(method)) == 1


async def test_a_redirect_to_another_server_is_named_and_gets_nothing(asker: Asker) -> None:
    async with McpUpstream(era="modern") as foreign, McpUpstream(era="legacy") as server:
        location = f"{foreign.url}?state=s3cr3t"
        server.on("initialize", Answer(status=302, headers={"Location": location}))
        found = await asker.probe(asker.control.installation(server.url, protocol="legacy"))
        assert f"It redirects to another origin, {foreign.url} (with a query" in found.sentence
        assert "s3cr3t" not in found.sentence
        assert foreign.seen == []


async def test_fastmcp_mounted_in_starlette_is_found_by_what_its_redirect_says(asker: Asker, mounted: str) -> None:
    found = await asker.probe(asker.control.installation(f"{mounted}/mcp"))
    assert found.sentence.endswith(f"It redirects to {mounted}/mcp/: enter that URL.")
    found = await asker.probe(asker.control.installation(f"{mounted}/mcp/"))
    assert [tool["name"] for tool in found.tools] == ["_hello"]


async def test_a_look_at_a_url_tells_of_a_redirect_and_opens_nothing(asker: Asker, mounted: str) -> None:
    looked = await asker.probe(asker.control.installation(f"{mounted}/mcp"), look=True)
    assert looked.sentence == f"It redirects to {mounted}/mcp/: enter that URL."
    assert not (await asker.probe(asker.control.installation(f"{mounted}/mcp/"), look=True)).fault


async def test_a_real_server_of_the_older_transport_is_found(asker: Asker, mounted: str) -> None:
    found = await asker.probe(asker.control.installation(f"{mounted}/old/sse"))
    assert (found.fault, found.era, found.server_name) == ("", "legacy", "old")


async def test_a_server_whose_get_stream_is_another_one_is_not_taken_for_an_old_one(asker: Asker) -> None:
    async with McpUpstream(era="legacy") as server:
        server.on("initialize", Answer(status=400, raw=b"no"))
        found = await asker.probe(asker.control.installation(server.url))
    assert "2024-11-05" not in found.sentence
    assert "--header NAME" in found.sentence


async def test_a_refused_credential_says_whether_there_was_one(asker: Asker) -> None:
    async with McpUpstream(era="both") as server:
        server.requires = {"X-Key": "right"}
        without = await asker.probe(asker.control.installation(server.url))
        wrong = await asker.probe(asker.control.installation(server.url, credential_headers=[("x-key", "wrong")]))
    assert (without.fault, wrong.fault) == ("upstream_credential", "upstream_credential")
    assert "It was asked without a credential" in without.sentence
    assert "Give another one" in wrong.sentence


@pytest.mark.parametrize("era", ["modern", "legacy", "legacy-stateless"])
async def test_tools_of_a_server_that_does_not_say_that_it_has_any_are_found(asker: Asker, era: Any) -> None:
    async with McpUpstream(era=era, capabilities={}) as server:
        found = await asker.probe(asker.control.installation(server.url))
    assert ([tool["name"] for tool in found.tools], found.capabilities) == (["echo"], [])


@pytest.mark.parametrize(
    "answer",
    [
        Answer(error=(-32601, "Method not found")),
        Answer(error=(-32601, "Method not found"), status=404),
        Answer(status=500),
        Answer(result={}),
    ],
)
async def test_a_server_without_tools_that_refuses_to_list_them_is_ready(asker: Asker, answer: Answer) -> None:
    async with McpUpstream(era="modern", capabilities={"prompts": {}}) as server:
        server.on("tools/list", answer)
        found = await asker.probe(asker.control.installation(server.url))
    assert (found.fault, found.tools, found.capabilities) == ("", [], ["prompts"])


async def test_a_server_without_tools_that_is_silent_about_them_is_ready(asker: Asker, clock: MovedClock) -> None:
    hold = asyncio.Event()
    async with McpUpstream(era="modern", capabilities={"prompts": {}}) as server, asyncio.TaskGroup() as group:
        server.on("tools/list", Answer(hold=hold))
        asking = group.create_task(asker.probe(asker.control.installation(server.url)))
        await server.wait_for("tools/list")
        clock.pass_by(4)
        found = await asking
        hold.set()
    assert (found.fault, found.tools) == ("", [])
