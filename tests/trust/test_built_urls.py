"""Row S-6: no URL is made of texts put together. What a caller sends is no part of the URL that is asked, and what an
installation answers is one checked and encoded part of it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from control.credentials.resolved import resolve_installation
from control.registry.broken_rule import BrokenRule
from control.registry.fields import Field
from control.registry.row_seals import OpenedSecrets
from control.registry.server_url import server_url
from control.registry.url_template import check_template
from core.egress.addresses import AddressPolicy, UrlRefused
from core.resolve import ResolvedInstallation
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fakes.registry import an_entry, an_installation
from tests.proxy.conftest import Rig

FRESH = AddressPolicy()
ELSEWHERE = [
    "../admin", "..%2fadmin", "..", "/admin", "//evil.example/", "http://evil.example/", "@evil.example/", "\\admin",
    "x/../../admin", ";admin",
]  # fmt: skip
MORE = ["?admin=1", "x&admin=1", "#admin", "%3fadmin=1", "%23", "=", "&", "+"]


async def asked_paths(rig: Rig, name: str, arguments: dict[str, Any], **tool: Any) -> set[str]:
    """All that a server is asked at for calls of both eras, path and query."""
    async with McpUpstream(era="both") as server:
        server.tool(name, Answer(text="fine"))
        server.on("resources/read", Answer(result={"contents": []}))
        slug = f"g{server.port}"
        await rig.serve([rig.control.tool("t", name, rig.control.installation(server.url), **tool)], slug)
        session = await rig.open_session(gateway=slug)
        await rig.call("t", arguments, gateway=slug)
        await rig.legacy("tools/call", {"name": "t", "arguments": arguments}, session=session, gateway=slug)
        assert len([one for one in server.seen if one.method in {"tools/call", "resources/read"}]) >= 2
        return {one.path for one in server.seen}


@pytest.mark.parametrize(
    ("texts", "where"),
    [
        pytest.param(ELSEWHERE, "name", id="S-6: path from a tool's name"),
        pytest.param(MORE, "name", id="S-6: query from a tool's name"),
        pytest.param(ELSEWHERE, "arguments", id="S-6: path from arguments"),
        pytest.param(MORE, "arguments", id="S-6: query from arguments"),
        pytest.param(ELSEWHERE + MORE, "resource", id="S-6: path and query from a resource's URI"),
    ],
)
async def test_what_a_caller_or_a_server_names_is_no_part_of_the_url(rig: Rig, texts: list[str], where: str) -> None:
    if where == "arguments":
        arguments = {f"a{number}": text for number, text in enumerate(texts)} | {text: text for text in texts}
        assert await asked_paths(rig, "t", arguments) == {"/mcp"}
        return
    for text in texts:
        kind = {"kind": "resource"} if where == "resource" else {}
        assert await asked_paths(rig, text, {}, **kind) == {"/mcp"}


URL = "https://{region}.example.com/mcp/{workspace}"
ENTRY = an_entry(URL, fields=(Field("region", "string"), Field("workspace", "string")))
LABELS = {
    "another domain": ["evil.example", "a.b", "evil.example.", ".", "..", ".evil"],
    "the end of the host": ["evil/", "evil/x", "evil?", "evil#", "evil\\", "evil:80", "evil:", "evil;"],
    "a user before the host": ["evil@", "a:b@", "@", "%40"],
    "an address": ["[::1]", "127.0.0.1", "0x7f000001.1", "[", "]"],
    "no label": ["-a", "a-", "_dmarc", "a_b", "x" * 64, " a", "a ", "*", "%61", "{region}", "a%00"],
    "a line break": ["a\r\nhost: evil", "a\n", "\ta", "a\0", "a\x7f"],
    "another alphabet": [
        "\u0435u",
        "\uff45u",
        "a\u3002b",
        "a\uff0eb",
        "\u00df",
        "a\u00ad",
        "\u202eeu",
        "eu\u200b",
        "\u2460",
    ],
}
"""Answers that must fill no host label, by what they would be."""
SEGMENTS = {
    "the segment before": ["..", ".", "../admin", "..\\admin", "a/..", "..;", "..;x", ". ", " .."],
    "another segment": ["a/b", "/a", "a/", "/", "\\", "a\\b", "//evil.example"],
    "a query": ["a?admin=1", "?", "a?"],
    "a fragment": ["a#b", "#"],
    "a user": ["a@b", "@"],
    "something encoded": ["%2e%2e", "%2E%2E", "%2f", "%252e%252e", "a%2fb", "%", "%00", "%u002e"],
    "a parameter": ["a;b", ";", ";jsessionid=1"],
    "a line break": ["a\r\nb", "a\n", "\t", "a\0b", "\x7f", "\x1b[2J"],
    "another alphabet": ["\uff41", "\u00e9", "\u2024\u2024", "\u3002\u3002", "\u2215", "\u2028", "a\u200b", "\ud800"],
    "too much": ["a" * 256, "a" * 5_000],
}
"""Answers that must fill no path segment."""


def refused(name: str, answer: str) -> None:
    values = {"region": "eu", "workspace": "w", name: answer}
    with pytest.raises(BrokenRule) as broken:
        server_url(ENTRY, values, FRESH)
    assert broken.value.field == f"values.{name}"
    assert len(answer) < 4 or answer not in str(broken.value)
    kept = an_installation(plain_values=values)  # as if it had come into the row in some other way
    assert not isinstance(resolve_installation(ENTRY, kept, OpenedSecrets()), ResolvedInstallation)


@pytest.mark.parametrize("what", [pytest.param(what, id=f"S-6: host label: {what}") for what in LABELS])
def test_an_answer_for_the_host_is_one_label_or_refused(what: str) -> None:
    for answer in LABELS[what]:
        refused("region", answer)


@pytest.mark.parametrize("what", [pytest.param(what, id=f"S-6: path segment: {what}") for what in SEGMENTS])
def test_an_answer_for_the_path_is_one_segment_or_refused(what: str) -> None:
    for answer in SEGMENTS[what]:
        refused("workspace", answer)


ENCODED = [
    "a b",
    'a"b',
    "<a>",
    "[a]",
    "{workspace}",
    "{region}",
    "a|b",
    "a^b",
    "a`b",
    "a&b=c",
    "a+b",
    "a:b",
    "~a",
    "...",
]


@pytest.mark.parametrize("_row", [pytest.param(0, id="S-6: path segment: signs that are encoded")])
async def test_whatever_else_an_answer_says_reaches_the_server_as_that_one_segment(rig: Rig, _row: int) -> None:
    async with McpUpstream(era="modern", path="/{tail:.*}") as server:
        server.tool("t", Answer(text="fine"))
        entry = an_entry(f"{server.origin}/mcp/{{workspace}}/x?y=z", fields=(Field("workspace", "string"),))
        for number, answer in enumerate(ENCODED):
            found = resolve_installation(entry, an_installation(plain_values={"workspace": answer}), OpenedSecrets())
            assert isinstance(found, ResolvedInstallation)
            await rig.serve([rig.control.tool("t", "t", rig.control.installation(found.url))], f"g{number}")
            server.seen.clear()
            assert (await rig.call("t", gateway=f"g{number}")).result["content"]
            for received in server.seen:
                parts = urlsplit(received.path)
                assert [unquote(one) for one in parts.path.split("/")] == ["", "mcp", answer, "x"]
                assert (parts.query, parts.fragment) == ("y=z", "")


TEMPLATES = {
    "an owner chosen by the answer": [
        "https://{a}/", "https://{a}.com/", "https://{a}.co.uk/", "https://{a}.github.io/", "https://example.{a}/",
        "https://{a}.s3.amazonaws.com/", "https://{a}.localhost/",
    ],
    "a part of a label or segment": [
        "https://x{a}.example.com/", "https://{a}-x.example.com/", "https://example.com/.{a}",
        "https://example.com/{a}{a}", "https://example.com/x{a}",
    ],
    "another part of the URL": [
        "{a}://example.com/", "https://example.com:{a}/", "https://{a}@example.com/", "https://example.com/?x={a}",
        "https://example.com/#{a}", "https://[::{a}]/", "https://example.com{a}/", "https://{a}.0.0.1/",
    ],
}  # fmt: skip
"""URLs of entries that must not be saved."""


@pytest.mark.parametrize("what", [pytest.param(what, id=f"S-6: template: {what}") for what in TEMPLATES])
def test_an_entry_leaves_no_more_of_its_url_open_than_one_label_and_whole_segments(what: str) -> None:
    for url in TEMPLATES[what]:
        with pytest.raises((BrokenRule, UrlRefused)):
            check_template(url, FRESH)
