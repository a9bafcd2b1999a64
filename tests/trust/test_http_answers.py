"""What comes back from an upstream besides its message: nothing of it reaches the caller, or the next caller
(rows H-12, P-7, M-11)."""

import json
import logging

import pytest

from tests.fakes.mcp_answers import Answer
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.scripted_upstream import ScriptedUpstream, head, ok
from tests.proxy.conftest import Reply, Rig

OURS = {
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "server",
    "x-content-type-options",
    "x-request-id",
}
RESULT = {"content": [{"type": "text", "text": "fine"}], "resultType": "complete"}


async def serve(rig: Rig, url: str, **fields: object) -> None:
    await rig.serve([rig.control.tool("echo", "echo", rig.control.installation(url, **fields))])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("Set-Cookie", "session=upstream-told-this", id="H-12: Set-Cookie"),
        pytest.param("WWW-Authenticate", 'Bearer realm="upstream-told-this"', id="H-12: WWW-Authenticate"),
        pytest.param("Location", "https://upstream-told-this.example", id="H-12: Location"),
        pytest.param(
            "Access-Control-Allow-Origin",
            "https://upstream-told-this.example",
            id="H-12: Access-Control-Allow-Origin",
        ),
        pytest.param("Server", "upstream-told-this", id="H-12: Server"),
    ],
)
@pytest.mark.parametrize("progress", [0, 1], ids=["json", "stream"])
async def test_no_header_of_an_upstream_reaches_the_caller(
    rig: Rig, upstream: McpUpstream, name: str, value: str, progress: int
) -> None:
    upstream.tool("echo", Answer(text="hello", headers={name: value}, progress=progress))
    await serve(rig, upstream.url)

    reply = await rig.call("echo", meta={"progressToken": "p"})

    assert b"hello" in reply.body
    assert "upstream-told-this" not in str(reply.headers)
    assert {key.lower() for key in reply.headers} <= OURS | {"transfer-encoding", "x-accel-buffering"}
    assert reply.headers["Server"] == "archway"


@pytest.mark.parametrize("reason", [pytest.param(b"O\x1b[31mK \x07told", id="H-12: CTL in the reason")])
async def test_the_reason_phrase_is_our_own(rig: Rig, reason: bytes) -> None:
    async with ScriptedUpstream([ok(json.dumps({}).encode(), status=b"200 " + reason)]) as upstream:
        await serve(rig, f"{upstream.url}/mcp", protocol="2026-07-28")

        reply = await rig.call("echo")

    assert reply.status == 200
    assert reply.refusal["code"] == "upstream_broken"
    assert b"told" not in reply.body


@pytest.mark.parametrize("header", [pytest.param("Cookie", id="P-7: cookies")])
async def test_a_cookie_of_one_call_is_on_no_other(rig: Rig, upstream: McpUpstream, header: str) -> None:
    upstream.tool("echo", Answer(text="hello", headers={"Set-Cookie": "tenant=first; Path=/"}))
    await serve(rig, upstream.url)

    first = await rig.call("echo", headers={header: "mine=1"})
    second = await rig.call("echo", token=rig.control.token())

    assert first.result["content"] == second.result["content"]
    assert len(upstream.seen_of("tools/call")) == 2
    assert [header in seen.headers for seen in upstream.seen] == [False] * len(upstream.seen)


@pytest.mark.parametrize("status", [pytest.param(b"307 Temporary Redirect", id="P-7: redirects")])
async def test_a_redirect_is_not_followed(rig: Rig, upstream: McpUpstream, status: bytes) -> None:
    elsewhere = b"Location: " + upstream.url.encode()
    async with ScriptedUpstream([ok(b"", elsewhere, status=status)]) as redirecting:
        await serve(
            rig,
            f"{redirecting.url}/mcp",
            protocol="2026-07-28",
            credential_headers=[("X-Api-Key", "upstream-secret")],
        )

        reply = await rig.call("echo")

        assert reply.refusal["code"] == "upstream_status"
        assert b"upstream-secret" in redirecting.requests[0]
        assert len(redirecting.requests) == 1
    assert upstream.seen == []


SECRET = "Bearer sk-live-0123456789abcdef"  # what an upstream might repeat of its own configuration


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(f"cannot use {SECRET}", f"cannot use {SECRET}", id="M-11: secret"),
        pytest.param("<script>alert(1)</script>", "<script>alert(1)</script>", id="M-11: HTML"),
        pytest.param("\x1b[31mred\x1b[0m\x07\r\nline", "red\nline", id="M-11: ANSI"),
        pytest.param("x" * (1 << 20), "x" * 4096, id="M-11: 1 MiB"),
    ],
)
async def test_an_upstreams_words_are_told_as_its_own_and_logged_at_most_in_part(
    rig: Rig, upstream: McpUpstream, said: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.tool("echo", Answer(error=(-32000, said)))
    await serve(rig, upstream.url)

    with caplog.at_level(logging.DEBUG):
        reply = await rig.call("echo")

    ours, theirs = reply.result["content"]
    assert ours == {"type": "text", "text": "server answered with an error."}
    assert theirs == {"type": "text", "text": told}
    assert said[:200] not in json.dumps(reply.result["_meta"])
    assert longest_run_of(said, caplog) <= 256


@pytest.mark.parametrize(
    "body", [b"<html>trace of sk-live-0123456789abcdef</html>", b"x" * (1 << 20)], ids=["short", "1 MiB"]
)
async def test_the_body_of_a_failed_status_is_told_to_nobody(
    rig: Rig, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with ScriptedUpstream([ok(body, b"Content-Type: text/html", status=b"500 Oops")]) as upstream:
        await serve(rig, f"{upstream.url}/mcp", protocol="2026-07-28")
        with caplog.at_level(logging.DEBUG):
            reply = await rig.call("echo")

    assert reply.refusal["code"] == "upstream_status"
    assert body[:30] not in reply.body
    assert longest_run_of(body.decode(), caplog) <= 256


async def test_an_answer_that_is_no_message_gives_no_part_of_itself(rig: Rig) -> None:
    broken = [head(b"Content-Type: application/json", b"Content-Length: 5"), b"\x1b[2J{"]
    async with ScriptedUpstream(broken) as upstream:
        await serve(rig, f"{upstream.url}/mcp", protocol="2026-07-28")
        reply: Reply = await rig.call("echo")
    assert reply.refusal["code"] == "upstream_broken"
    assert b"[2J" not in reply.body


def longest_run_of(said: str, caplog: pytest.LogCaptureFixture) -> int:
    """How many of the first characters of `said` any log record holds, fields and traceback included."""
    text = "\n".join(f"{caplog.handler.format(record)} {record.__dict__!r}" for record in caplog.records)
    return max((length for length in (1, 16, 257, 2049) if len(said) >= length and said[:length] in text), default=0)
