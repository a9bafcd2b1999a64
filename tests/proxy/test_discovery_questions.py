"""Control's question to a proxy: what does this server speak and offer? Asked as control does, over HTTP."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
import orjson
import pytest

from core import internal_call
from core.internal_call import InternalCalls
from core.mcp.versions import MODERN
from core.probes import Probe, ProbeQuestion
from core.resolve import ResolvedInstallation
from core.sealing import SealBroken
from proxy import internal
from proxy.worker import Worker, listening
from tests.fakes.control import FakeControl
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.fakes.scripted_upstream import ScriptedUpstream, ok
from tests.proxy.conftest import Rig, settings_for

PATH = "/internal/probe"


class Asker:
    """A proxy's internal listener, and control's end of the conversation."""

    def __init__(self, control: FakeControl, port: int, http: aiohttp.ClientSession) -> None:
        self.url = f"http://127.0.0.1:{port}{PATH}"
        self.calls = InternalCalls(control.ring, caller="control", answerer="proxy")
        self.http = http
        self.control = control

    async def probe(self, connection: ResolvedInstallation, **question: Any) -> Probe:
        body = msgspec.msgpack.encode(ProbeQuestion(connection, **question))
        authorization, call_id = self.calls.mint("POST", PATH, body)
        async with self.http.post(self.url, data=body, headers={"Authorization": authorization}) as response:
            assert response.status == 200
            return msgspec.msgpack.decode(self.calls.open_answer(call_id, await response.read()), type=Probe)


@pytest.fixture
async def asker() -> Any:
    async with FakeControl() as control:
        worker = Worker(settings_for(control, "redis://127.0.0.1:1/0"))
        async with listening(worker) as (_, port), aiohttp.ClientSession() as http:
            yield Asker(control, port, http)
        await worker.close()


@pytest.mark.parametrize(
    "odd",
    ["50000000000000000000", "0.1234567890123456789012345", "1e400", "[" * 300 + "]" * 300, "[" * 3000 + "]" * 3000],
)
@pytest.mark.parametrize("large", [False, True])
async def test_a_definition_that_control_cannot_be_told_of_takes_no_other_along(
    asker: Asker, odd: str, large: bool
) -> None:
    filling = "x" * (2 << 20 if large else 1)
    plain = f'{{"name":"plain","description":"{filling}","inputSchema":{{"type":"object"}}}}'
    tools = f'[{plain},{{"name":"odd","inputSchema":{{"type":"object","properties":{{"a":{{"default":{odd}}}}}}}}}]'

    def listed(request: bytes) -> list[bytes]:
        body = request.partition(b"\r\n\r\n")[2]
        if b"server/discover" in body:
            result = orjson.dumps({"supportedVersions": [MODERN], "capabilities": {"tools": {}}}).decode()
        else:
            result = f'{{"tools":{tools}}}'
        number = orjson.loads(body)["id"]
        return [
            ok(f'{{"jsonrpc":"2.0","id":{number},"result":{result}}}'.encode(), b"Content-Type: application/json")
        ]

    async with ScriptedUpstream(listed) as server:
        probe = await asker.probe(asker.control.installation(server.url))

    assert [tool["name"] for tool in probe.tools] == ["plain"]
    assert [name for name, _ in probe.rejected] == ["odd"]


@pytest.mark.parametrize(
    ("era", "told", "version"),
    [
        ("modern", "modern", MODERN),
        ("both", "modern", MODERN),
        ("legacy", "legacy", "2025-11-25"),
        ("legacy-stateless", "legacy", "2025-11-25"),
    ],
)
async def test_all_pages_of_a_server_of_any_era_are_told(asker: Asker, era: Any, told: str, version: str) -> None:
    async with McpUpstream(era=era, page_size=2) as server:
        for number in range(4):
            server.tool(f"tool-{number}", Answer(text="x"))

        # A question of this size comes in several pieces.
        found = await asker.probe(asker.control.installation(server.url, entry="e" * 900_000))

        assert (found.era, found.version, found.fault) == (told, version, "")
        assert [tool["name"] for tool in found.tools] == ["echo", "tool-0", "tool-1", "tool-2", "tool-3"]
        assert found.server_name == "fake-upstream"
        assert found.capabilities == ["tools"]
        assert len(server.seen_of("tools/list")) == 3
        assert server.complaints == []


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_tool_that_is_listed_for_clients_that_can_be_asked_is_found(asker: Asker, era: Any) -> None:
    async with McpUpstream(era=era) as server:

        def listed(received: Received) -> Answer:
            declares = server.seen_of("initialize")[-1].params["capabilities"] if era == "legacy" else None
            can = received.meta["io.modelcontextprotocol/clientCapabilities"] if declares is None else declares
            return Answer(result={"tools": [{"name": name} for name in sorted(can)]})

        server.on("tools/list", listed)

        found = await asker.probe(asker.control.installation(server.url))

        assert [tool["name"] for tool in found.tools] == ["elicitation", "roots", "sampling"]


async def test_a_list_that_goes_round_in_circles_ends(asker: Asker) -> None:
    async with McpUpstream(era="modern") as server:
        server.on("tools/list", Answer(result={"tools": [{"name": "same"}], "nextCursor": "again"}))

        found = await asker.probe(asker.control.installation(server.url))

        assert len(found.tools) == 2


async def test_resources_are_listed_where_there_are_no_tools(asker: Asker) -> None:
    async with McpUpstream(era="modern", capabilities={"resources": {}}) as server:
        server.on("resources/list", Answer(result={"resources": [{"uri": "x:y", "name": "y"}]}))

        found = await asker.probe(asker.control.installation(server.url))

        assert found.tools == []
        assert found.resources == [{"uri": "x:y", "name": "y"}]


async def test_a_question_without_lists_lists_nothing(asker: Asker) -> None:
    async with McpUpstream(era="modern") as server:
        assert (await asker.probe(asker.control.installation(server.url), lists=False)).era == "modern"
        assert not server.seen_of("tools/list")


@pytest.mark.parametrize(
    ("era", "pin", "fault"),
    [("legacy", MODERN, "upstream_era"), ("legacy", "legacy", ""), ("modern", MODERN, ""), ("both", "legacy", "")],
)
async def test_a_pin_is_obeyed(asker: Asker, era: Any, pin: Any, fault: str) -> None:
    async with McpUpstream(era=era) as server:
        found = await asker.probe(asker.control.installation(server.url, protocol=pin))

        assert found.fault == fault
        if not fault:
            assert found.era == ("legacy" if pin == "legacy" else "modern")


async def test_so_many_probes_run_at_once_and_one_more_is_told_to_come_again(asker: Asker) -> None:
    hold = asyncio.Event()
    async with McpUpstream(era="modern") as server, asyncio.TaskGroup() as group:
        server.on("server/discover", Answer(hold=hold))
        probes = [
            group.create_task(asker.probe(asker.control.installation(server.url), lists=False))
            for _ in range(internal.MOST_PROBES)
        ]
        while len(server.seen_of("server/discover")) < internal.MOST_PROBES:  # noqa: ASYNC110 - the fake tells nobody
            await asyncio.sleep(0.01)
        body = msgspec.msgpack.encode(ProbeQuestion(asker.control.installation(server.url)))
        authorization, _ = asker.calls.mint("POST", PATH, body)
        async with asker.http.post(asker.url, data=body, headers={"Authorization": authorization}) as response:
            assert response.status == 503
        hold.set()
        for probe in probes:
            await probe
        await asker.probe(asker.control.installation(server.url), lists=False)  # there is room again


@pytest.mark.parametrize(
    ("status", "told"), [(404, "Check the path of the URL."), (405, "Check the path of the URL."), (500, "")]
)
async def test_a_wrong_path_is_said_to_the_admin(asker: Asker, status: int, told: str) -> None:
    async with McpUpstream(era="both") as server:
        server.on("server/discover", Answer(status=status))
        server.on("initialize", Answer(status=status))
        found = await asker.probe(asker.control.installation(server.url))
        assert found.sentence == f"server answered with HTTP status {status}. {told}".strip()


@pytest.mark.parametrize(
    ("url", "fault"), [("http://127.0.0.1:1/mcp", "upstream_refused"), ("http://10.0.0.1/mcp", "upstream_forbidden")]
)
async def test_a_server_that_cannot_be_had_is_a_fault_with_a_sentence(asker: Asker, url: str, fault: str) -> None:
    found = await asker.probe(asker.control.installation(url))

    assert found.fault == fault
    assert found.sentence.startswith("server ")
    assert ("The connection was refused" in found.sentence) is (fault == "upstream_refused")
    assert found.tools == []


async def test_a_refused_credential_is_told(asker: Asker) -> None:
    async with McpUpstream(era="both") as server:
        server.requires = {"X-Key": "right"}
        connection = asker.control.installation(server.url, credential_headers=[("x-key", "wrong")])

        assert (await asker.probe(connection)).fault == "upstream_credential"


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Archway-Internal x"])
async def test_nobody_else_is_answered(asker: Asker, authorization: str) -> None:
    body = msgspec.msgpack.encode(ProbeQuestion(asker.control.installation("http://127.0.0.1:1")))
    async with asker.http.post(asker.url, data=body, headers={"Authorization": authorization}) as response:
        assert (response.status, await response.read()) == (403, b"")


async def test_a_question_of_a_proxy_is_none_of_controls(asker: Asker) -> None:
    body = msgspec.msgpack.encode(ProbeQuestion(asker.control.installation("http://127.0.0.1:1")))
    other = InternalCalls(asker.control.ring, caller="proxy", answerer="control")
    headers = {"Authorization": other.mint("POST", PATH, body)[0]}
    async with asker.http.post(asker.url, data=body, headers=headers) as response:
        assert response.status == 403


async def test_an_answer_belongs_to_its_question(asker: Asker) -> None:
    body = msgspec.msgpack.encode(ProbeQuestion(asker.control.installation("http://127.0.0.1:1/mcp")))
    authorization, _ = asker.calls.mint("POST", PATH, body)
    _, another = asker.calls.mint("POST", PATH, body)
    async with asker.http.post(asker.url, data=body, headers={"Authorization": authorization}) as response:
        sealed = await response.read()
    with pytest.raises(SealBroken):
        asker.calls.open_answer(another, sealed)


async def test_discovery_and_calls_do_not_share_a_session(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        connection = rig.control.installation(server.url)
        await rig.worker.internal._kinds[PATH].answer(ProbeQuestion(connection))
        await rig.serve([rig.control.tool("t", "echo", connection)])
        await rig.call("t")

        assert server.seen_of("tools/call")[0].session != server.seen_of("tools/list")[0].session


@pytest.mark.parametrize("ahead", [90, -120, 3600])
async def test_a_control_whose_clock_is_off_is_told_that(
    asker: Asker, ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(internal_call, "time", SimpleNamespace(time=lambda: now + ahead))
    authorization, _ = asker.calls.mint("POST", PATH, b"")
    monkeypatch.undo()
    async with asker.http.post(asker.url, data=b"", headers={"Authorization": authorization}) as response:
        assert (response.status, await response.read()) == (403, b"")
        assert response.headers["Archway-Refused"] == "clock"
        assert response.headers["Server"] == "archway"
