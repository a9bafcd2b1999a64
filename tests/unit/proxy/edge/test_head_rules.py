from __future__ import annotations

import asyncio

import pytest
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.edge.head_rules import END, MOST_HEAD, MOST_HEADERS, HeadReader

USUAL = b"POST /v1/mcp/g HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 5"


def usual(*more: bytes) -> bytes:
    return b"\r\n".join((USUAL, *more))


def test_a_plain_request_is_read() -> None:
    head = HeadReader().read(usual(b"MCP-Name:\techo \t", b"X-Empty:"))
    assert head is not None
    assert (head.method, head.target, head.length, head.close) == ("POST", "/v1/mcp/g", 5, False)
    assert head.headers == {"host": "gw.example", "content-length": "5", "mcp-name": "echo", "x-empty": ""}


def test_a_list_that_comes_twice_is_joined_as_admit_joins_it() -> None:
    head = HeadReader().read(usual(b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-For: 10.0.0.2"))
    assert head is not None
    assert head.headers["x-forwarded-for"] == "10.0.0.1, 10.0.0.2"


def test_a_caller_that_says_so_is_hung_up_on_after_the_answer() -> None:
    head = HeadReader().read(usual(b"Connection: Close"))
    assert head is not None
    assert head.close


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length: 5",
        b"Host: gw.example",
        b"Authorization: a\r\nauthorization: a",
        b"Transfer-Encoding: chunked",
        b"Upgrade: h2c",
        b"Expect: 100-continue",
        b"Content-Encoding: gzip",
        b"Trailer: X-A",
        b"Connection: Authorization",
        b"Connection: keep-alive\r\nConnection: close",
        b"X-A : 1",
        b" X-A: 1",
        b"X-A: 1\r\n folded",
        b"X-A: 1\nX-B: 2",
        b"X-A: 1\rX-B: 2",
        b"X-A: \x00",
        b"X-A: caf\xc3\xa9",
        b": nothing",
        b"X-A",
        b"X-(A): 1",
        b"X-A: " + b"a" * 8190,
        b"\r\n".join(b"X-%d: 1" % number for number in range(MOST_HEADERS)),
    ],
)
def test_what_could_be_read_in_two_ways_is_not_plain(line: bytes) -> None:
    assert HeadReader().read(usual(line)) is None
    assert not HeadReader().may_become_plain(usual(line) + b"\r\n")


@pytest.mark.parametrize("length", [b"+5", b"05", b"5, 5", b"5 5", b"-1", b"", b"0x5", b"9" * 16])
def test_a_length_is_one_plain_number(length: bytes) -> None:
    assert HeadReader().read(b"POST /v1/mcp/g HTTP/1.1\r\nHost: h\r\nContent-Length: " + length) is None


@pytest.mark.parametrize(
    "first",
    [
        b"POST /v1/mcp/g HTTP/1.0",
        b"POST /v1/mcp/g HTTP/2.0",
        b"POST /v1/mcp/g",
        b"POST  /v1/mcp/g HTTP/1.1",
        b"POST http://gw.example/v1/mcp/g HTTP/1.1",
        b"PUT /v1/mcp/g HTTP/1.1",
        b"post /v1/mcp/g HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"GET /.well-known/oauth-protected-resource/v1/mcp/g HTTP/1.1",
        b"\r\nPOST /v1/mcp/g HTTP/1.1",
        b"POST /" + b"a" * 8190 + b" HTTP/1.1",
    ],
)
def test_other_request_lines_are_not_plain(first: bytes) -> None:
    assert HeadReader().read(first + b"\r\nHost: gw.example") is None
    assert not HeadReader().may_become_plain(first + b"\r\nHost: gw.example\r\n")


@pytest.mark.parametrize("method", [b"GET", b"DELETE"])
def test_only_a_post_has_a_body(method: bytes) -> None:
    assert HeadReader().read(method + b" /v1/mcp/g HTTP/1.1\r\nHost: h\r\nContent-Length: 0") is not None
    assert HeadReader().read(method + b" /v1/mcp/g HTTP/1.1\r\nHost: h\r\nContent-Length: 1") is None


def test_a_request_without_a_host_is_not_plain() -> None:
    assert HeadReader().read(b"GET /health HTTP/1.1") is None


def test_every_beginning_of_a_plain_request_may_become_one() -> None:
    reader, whole = HeadReader(), usual(b"MCP-Name: echo") + END
    assert all(reader.may_become_plain(whole[:cut]) for cut in range(1, len(whole)))


@pytest.mark.parametrize(
    "begun", [b"\x16\x03\x01", b"G ", b"GETS", b"POST /a\r", b"POST /a\x00", b"POST /a HTTP/1.0"]
)
def test_what_has_left_the_grammar_does_not_wait_for_its_end(begun: bytes) -> None:
    assert not HeadReader().may_become_plain(begun)


def test_a_head_that_grows_without_end_is_not_waited_for() -> None:
    reader = HeadReader()
    assert reader.may_become_plain(USUAL + b"\r\nX-A: " + b"a" * 8000)
    assert not reader.may_become_plain(USUAL + b"\r\nX-A: " + b"a" * 8190)
    many = b"".join(b"X-%d: %b\r\n" % (number, b"a" * 1000) for number in range(70))
    assert len(many) > MOST_HEAD
    assert not reader.may_become_plain(USUAL + b"\r\n" + many)


def test_a_name_that_is_known_clears_no_value() -> None:
    reader = HeadReader()
    assert reader.read(usual(b"X-A: 1")) is not None
    for bad in (
        b"X-A",
        b"X-A: \x00",
        b"X-A: \x7f",
        b"X-A: caf\xc3\xa9",
        b"X-A: 1\r",
        b"X-A: 1\n",
        b"X-A: " + b"a" * 8190,
    ):
        assert reader.read(usual(bad)) is None
    head = reader.read(usual(b"X-A: \ta\tb "))
    assert head is not None
    assert head.headers["x-a"] == "a\tb"


def test_what_is_remembered_of_lines_is_bounded_and_never_a_token() -> None:
    reader = HeadReader()
    for number in range(5000):
        assert reader.read(usual(b"Mcp-Name: %d" % number, b"Authorization: Bearer t%d" % number)) is not None
    assert len(reader._lines) <= 2048
    assert not any(b"Bearer" in line for line in reader._lines)
    for number in range(5000):
        assert reader.read(usual(b"X-%d: 1" % number)) is not None
    assert len(reader._names) <= 2048


WELL_READ = HeadReader()
"""It has seen many lines, so that what it remembers is in play too."""
LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [b"Host: h", b"Content-Length: 3", b"Content-Length:3 ", b"Accept: a", b"accept: b", b"Connection: close"]
        ),
        st.from_regex(rb"[!-~]{0,6}:[\t -~]{0,6}", fullmatch=True),
        st.binary(max_size=8),
    ),
    max_size=6,
)


@example([b"Host: h", b"Content-Length: 3"])
@given(LINES)
def test_what_is_plain_means_the_same_to_aiohttp(lines: list[bytes]) -> None:
    block = b"\r\n".join((b"POST /v1/mcp/g HTTP/1.1", *lines))
    end = block.find(END)
    head = WELL_READ.read(block if end < 0 else block[:end])
    if head is None:
        return
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParser(None, loop, 2**16, max_line_size=8190, max_field_size=8190)  # type: ignore[arg-type]
        try:
            ((message, _),), upgraded, rest = parser.feed_data((block if end < 0 else block[:end]) + END)
        except HttpProcessingError as error:
            raise AssertionError("refused by aiohttp") from error
    finally:
        loop.close()
    assert (message.method, message.path, message.should_close) == (head.method, head.target, head.close)
    assert not upgraded
    assert not rest
    joined: dict[str, str] = {}
    for name, value in message.raw_headers:
        key = name.decode().lower()
        joined[key] = f"{joined[key]}, {value.decode()}" if key in joined else value.decode()
    assert joined == head.headers
