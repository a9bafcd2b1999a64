"""Lists that no client would take, asked for by discovery: as one body and as an event stream, of both eras."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import psutil
import pytest

from core.mcp.versions import MODERN
from proxy.upstream.list_answers import MAX_LIST_BYTES, MAX_PAGE_BYTES, MAX_PAGES
from tests.fakes.scripted_upstream import FOREVER, ScriptedUpstream, Step, head, ok
from tests.proxy.test_discovery_questions import Asker, asker

__all__ = ["asker"]

GOOD = b'{"name":"good","inputSchema":{"type":"object"}}'
Listed = Callable[[dict[str, Any]], bytes]


def answering(listed: Listed, era: str, streamed: bool) -> Callable[[bytes], Sequence[Step]]:
    """A server of one era; `listed` gives the text of each result of tools/list."""

    def said(raw: bytes) -> Sequence[Step]:
        request = orjson.loads(raw.partition(b"\r\n\r\n")[2])
        if "id" not in request:
            return [ok(b"", status=b"202 Accepted")]
        result = b"{}"
        if request["method"] == "tools/list":
            result = listed(request)
        elif request["method"] == "initialize":
            result = b'{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s"}}'
        elif era == "modern":
            result = orjson.dumps({"supportedVersions": [MODERN], "capabilities": {"tools": {}}})
        elif request["method"] == "server/discover":
            return [_json(b'{"jsonrpc":"2.0","id":%d,"error":{"code":-32601,"message":"no"}}' % request["id"])]
        message = b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (request["id"], result)
        return [_events(message) if streamed else _json(message)]

    return said


def _json(message: bytes) -> bytes:
    return ok(message, b"Content-Type: application/json")


def _events(message: bytes) -> bytes:
    before = (
        b'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"\\ud83d"}}\n\n'
    )
    return ok(before + b"data: " + message + b"\n\n", b"Content-Type: text/event-stream")


def page(*items: bytes, cursor: str | None = None) -> bytes:
    following = b"" if cursor is None else b',"nextCursor":' + orjson.dumps(cursor)
    return b'{"tools":[' + b",".join(items) + b"]" + following + b"}"


BOTH = pytest.mark.parametrize("streamed", [False, True], ids=["body", "events"])
ERAS = pytest.mark.parametrize("era", ["legacy", "modern"])


@ERAS
@BOTH
@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (b'{"name":"odd","description":"\\ud83d"}', "half of a character"),
        (b'{"name":"odd","inputSchema":{"enum":["\\ud83d"]}}', "half of a character"),
        (b'{"name":"odd","inputSchema":{"maximum":NaN}}', "NaN"),
        (b'{"name":"odd","inputSchema":{"maximum":1e400}}', "1e400"),
        (b'{"name":"odd","inputSchema":' + b"[" * 65 + b"]" * 65 + b"}", "deeper than 64"),
        (b'{"name":"odd","inputSchema":{"' + b"k" * 300 + b'":1}}', "longer than 256"),
    ],
    ids=["half a description", "half an enum", "NaN", "1e400", "depth", "key"],
)
async def test_one_odd_definition_takes_no_other_along(
    asker: Asker, era: str, streamed: bool, odd: bytes, words: str
) -> None:
    async with ScriptedUpstream(answering(lambda _: page(GOOD, odd, GOOD), era, streamed)) as server:
        probe = await asker.probe(asker.control.installation(server.url))
    assert [tool["name"] for tool in probe.tools] == ["good", "good"]
    ((name, reason),) = probe.rejected
    assert name == "odd"
    assert words in reason


@ERAS
@BOTH
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (b'{"tools":[{"a":1,}]}', "Expecting property name enclosed in double quotes (byte "),
        (b"{'tools':[]}", "Expecting property name enclosed in double quotes (byte "),
        (b'{"tools":[{}', "Expecting"),
        (b'{"tools":[nul]}', "Expecting value (byte "),
    ],
)
async def test_what_is_no_json_is_told_with_the_parsers_sentence(
    asker: Asker, era: str, streamed: bool, broken: bytes, words: str
) -> None:
    async with ScriptedUpstream(answering(lambda _: broken, era, streamed)) as server:
        probe = await asker.probe(asker.control.installation(server.url))
    assert probe.fault == "upstream_broken"
    assert words in probe.sentence


def _numbered(request: dict[str, Any]) -> int:
    return int(request["params"].get("cursor", "0"))


@BOTH
async def test_a_list_of_more_bytes_than_may_be_is_cut_and_the_bytes_are_told(asker: Asker, streamed: bool) -> None:
    asked = []

    def listed(request: dict[str, Any]) -> bytes:
        number = _numbered(request)
        asked.append(number)
        item = b'{"name":"t%d","description":"%b"}' % (number, b"x" * (3 << 20))
        return page(item, cursor=str(number + 1))

    async with ScriptedUpstream(answering(listed, "modern", streamed)) as server:
        probe = await asker.probe(asker.control.installation(server.url))
    assert [tool["name"] for tool in probe.tools] == ["t0", "t1"]
    left = MAX_LIST_BYTES - 2 * (3 << 20) - 2 * 80
    ((name, note),) = probe.notes
    assert name == ""
    assert note.startswith("Its list of tools has a page beyond its first ones with more than ")
    assert left - 200 < int(note.partition("more than ")[2].partition(" ")[0]) < left + 200
    assert note.endswith("read were the first 2.")
    assert asked == [0, 1, 2]


@BOTH
async def test_tools_beyond_the_last_page_that_is_asked_for_are_told(asker: Asker, streamed: bool) -> None:
    def listed(request: dict[str, Any]) -> bytes:
        number = _numbered(request)
        return page(b'{"name":"t%d"}' % number, cursor=str(number + 1))

    async with ScriptedUpstream(answering(listed, "modern", streamed)) as server:
        probe = await asker.probe(asker.control.installation(server.url))
    assert len(probe.tools) == MAX_PAGES
    told = f"Its list of tools has more than {MAX_PAGES} pages; read were the first {MAX_PAGES}."
    assert probe.notes == [("", told)]


async def test_tools_beyond_the_most_are_told(asker: Asker) -> None:
    def listed(request: dict[str, Any]) -> bytes:
        number = _numbered(request)
        return page(*(b'{"name":"t%d-%d"}' % (number, one) for one in range(1_500)), cursor=str(number + 1))

    async with ScriptedUpstream(answering(listed, "modern", False)) as server:
        probe = await asker.probe(asker.control.installation(server.url))
    assert len(probe.tools) == 5_000
    assert probe.notes == [("", "Its list of tools has more than 5000 items; read were the first 5000.")]


async def test_a_list_that_goes_round_in_circles_is_told(asker: Asker) -> None:
    async with ScriptedUpstream(answering(lambda _: page(GOOD, cursor="a"), "modern", False)) as server:
        probe = await asker.probe(asker.control.installation(server.url))
    assert len(probe.tools) == 2
    assert probe.notes == [("", "Its list of tools has a cursor that came before; read were the first 2.")]


@pytest.mark.parametrize("kind", [b"application/json", b"text/event-stream"])
async def test_a_first_page_without_end_is_refused_early_with_its_bytes_and_without_memory(
    asker: Asker, kind: bytes
) -> None:
    discover = answering(lambda _: b"", "modern", False)
    flood = b'{"name":"t","description":"' + b"x" * 65_000 + b'"},'

    def said(raw: bytes) -> Sequence[Step]:
        if b'"tools/list"' not in raw:
            return discover(raw)
        begun = b'{"jsonrpc":"2.0","id":1,"result":{"tools":['
        start = begun if kind == b"application/json" else b"data: " + begun
        return [head(b"Content-Type: " + kind, b"Connection: close"), start, flood, FOREVER]

    before = psutil.Process().memory_info().rss
    async with ScriptedUpstream(said) as server:
        probe = await asker.probe(asker.control.installation(server.url))
    assert probe.fault == "upstream_too_large"
    assert f"larger than {MAX_PAGE_BYTES} bytes" in probe.sentence
    assert psutil.Process().memory_info().rss - before < 64 << 20


async def test_calls_go_on_while_a_list_of_brackets_is_read(asker: Asker) -> None:
    wide = b'{"name":"wide","a":[' + b"[]," * 200_000 + b"[]]}"
    async with ScriptedUpstream(answering(lambda _: page(GOOD, wide), "modern", False)) as server:
        probe = await asker.probe(asker.control.installation(server.url))
    assert [tool["name"] for tool in probe.tools] == ["good"]
    assert probe.rejected == [("wide", "Its definition holds more than 50000 values.")]
