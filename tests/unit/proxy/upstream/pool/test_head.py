"""Heads: what is read from them, and which of them are remembered. `test_pool_answer` has the bad ones."""

import pytest

import proxy.upstream.pool.head as pool_head
from core.egress.faults import UpstreamFault
from proxy.upstream.pool.head import (
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_LINE_BYTES,
    KnownHeads,
    ReceivedHead,
    UnfinishedHead,
)
from tests.fakes.scripted_upstream import head


def head_of(block: bytes) -> ReceivedHead:
    """What is read where nothing is known yet."""
    return KnownHeads().read(block)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b"X: y", 4.0),
        (b"Keep-Alive: timeout=3, max=100", 2.0),
        (b"Keep-Alive: max=100,Timeout=2", 1.0),
        (b"Keep-Alive: timeout=60", 4.0),
        (b"Keep-Alive: timeout=1", 0.0),
        (b"Keep-Alive: timeout=0", -1.0),
        (b"Keep-Alive: nonsense", 4.0),
    ],
)
def test_a_connection_lies_idle_a_second_less_than_the_server_says(line: bytes, seconds: float) -> None:
    assert head_of(head(line)).idle_seconds == seconds


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize(
    ("lines", "keeps"),
    [
        (b"Connection: keep-alive", True),
        (b"Connection: keep-alive, close", False),
        (b"Connection: Close ,keep-alive", False),
        (b"Connection: keep-alive\r\nConnection: close", False),
    ],
)
def test_close_counts_beside_keep_alive(lines: bytes, keeps: bool, version: bytes) -> None:
    assert head_of(b"HTTP/%b 200 OK\r\n%b\r\nContent-Length: 4\r\n\r\n" % (version, lines)).keeps is keeps


@pytest.mark.parametrize(
    ("line", "status", "plain", "streams"),
    [
        (b"Content-Type: application/json", b"200 OK", True, False),
        (b"Content-Type: text/event-stream", b"200 OK", False, True),
        (b"Content-Type: Text/Event-Stream ; charset=utf-8", b"200 OK", False, True),
        (b"Content-Type: text/event-streams", b"200 OK", True, False),
        (b"Content-Type: application/json", b"404 Not Found", False, False),
        (b"Content-Type: text/event-stream", b"202 Accepted", False, True),
        (b"Content-Type: application/json", b"201 Created", True, False),
        (b"Content-Type: application/json", b"203 Non-Authoritative", True, False),
        (b"Content-Type: application/json", b"300 Multiple Choices", False, False),
        (b"Content-Encoding: gzip", b"200 OK", False, False),
        (b"Content-Encoding: Deflate", b"200 OK", False, False),
        (b"Content-Encoding: identity", b"200 OK", True, False),
    ],
)
def test_a_success_is_one_piece_or_a_stream(line: bytes, status: bytes, plain: bool, streams: bool) -> None:
    found = head_of(head(line, status=status))
    assert (found.plain, found.streams) == (plain, streams)


def test_a_head_that_came_before_is_not_read_again() -> None:
    heads = KnownHeads()
    block = head(b"Content-Type: application/json", b"Content-Length: 5", b"Date: Sat, 21 Nov 2026 06:00:00 GMT")
    assert heads.known(block) is None
    assert heads.read(block) is heads.read(bytes(bytearray(block))) is heads.known(block)
    usual = head(b"Content-Type: text/event-stream", b"Cache-Control: no-cache", b"X-Accel-Buffering: no")
    assert heads.read(usual) is heads.read(bytes(bytearray(usual)))
    assert heads.read(block).headers != heads.read(block.replace(b"06:00", b"07:00")).headers


@pytest.mark.parametrize(
    "line",
    [b"Mcp-Session-Id: secret", b"Set-Cookie: secret", b"X-Any: secret", b"Server: " + b"long" * 200],
)
def test_a_head_that_may_hold_a_secret_or_is_long_is_not_remembered(line: bytes) -> None:
    heads, block = KnownHeads(), head(b"Content-Length: 5", line)
    heads.read(block)
    assert heads.known(block) is None


def test_a_bounded_number_of_heads_is_remembered() -> None:
    heads = KnownHeads()
    for length in range(1000):
        assert heads.read(head(b"Content-Length: %d" % length)).length == length
    assert 0 < len(heads._known) <= 256


def test_a_bad_head_is_bad_each_time() -> None:
    heads = KnownHeads()
    for _ in range(2):
        with pytest.raises(UpstreamFault):
            heads.read(head(b"Content-Length: 5", b"Content-Length: 6"))


def test_an_interim_head_says_nothing_but_its_status() -> None:
    hints = head_of(head(b"Mcp-Session-Id: a", b"Keep-Alive: timeout=1", status=b"103 Early Hints"))
    assert (hints.status, hints.headers) == (103, {})


def test_a_head_in_single_bytes_is_judged_line_by_line_and_each_line_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []

    class Counted(bytearray):
        """Counts the bytes through which it is searched."""

        def find(self, sought: bytes, start: int = 0) -> int:  # type: ignore[override]  # as it is called
            read.append(len(self) - start)
            return super().find(sought, start)

    block = head(*(b"X-%03d: " % n + b"y" * 400 for n in range(MAX_HEADERS - 1)))
    monkeypatch.setattr(pool_head, "bytearray", Counted, raising=False)
    unfinished = UnfinishedHead()
    assert [unfinished.add(block[at : at + 1]) for at in range(len(block))] == [False] * (len(block) - 1) + [True]
    assert unfinished.whole() == block
    assert len(read) > len(block)
    assert sum(read) < 20 * len(block)


@pytest.mark.parametrize(
    ("block", "most"),
    [
        (b"HTTP/2", 6),
        (b"HTTP/1.1 200 OK\n\n", 17),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000, 17 + MAX_LINE_BYTES + 1),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, 17 + 6 * (MAX_HEADERS + 2)),
        (b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 16_000 + b"\r\n") * 20, MAX_HEAD_BYTES + 2),
    ],
    ids=["another protocol", "bare line feeds", "a long line", "many headers", "a long head"],
)
def test_a_head_in_single_bytes_is_refused_as_soon_as_it_cannot_be_one(block: bytes, most: int) -> None:
    unfinished = UnfinishedHead()
    taken = iter([block[at : at + 1] for at in range(most)])
    with pytest.raises(UpstreamFault):
        any(map(unfinished.add, taken))


def test_a_line_of_the_largest_size_passes_in_single_bytes() -> None:
    block = head(b"X: " + b"y" * (MAX_LINE_BYTES - 3))
    unfinished = UnfinishedHead()
    assert [unfinished.add(block[at : at + 1]) for at in range(len(block))][-1]
    assert head_of(unfinished.whole()).status == 200
