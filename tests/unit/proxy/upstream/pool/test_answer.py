"""An answer from its bytes: what is one, where it ends, and whether anything may follow it."""

import contextlib
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.egress.faults import UpstreamFault
from proxy.upstream.pool.answer import MAX_INTERIM, ReceivedAnswer
from proxy.upstream.pool.head import MAX_HEAD_BYTES, MAX_HEADERS, KnownHeads
from tests.fakes.scripted_upstream import head, ok

HINTS = head(b"Link: </a>; rel=preload", status=b"103 Early Hints")
CHUNKED = head(b"Transfer-Encoding: chunked")


def received(*pieces: bytes, ended: bool = False) -> ReceivedAnswer:
    answer = ReceivedAnswer(KnownHeads())
    for piece in filter(None, pieces):
        answer.feed(piece)
    if ended:
        answer.end()
    return answer


def fault(*pieces: bytes, ended: bool = False) -> UpstreamFault:
    with pytest.raises(UpstreamFault) as caught:
        received(*pieces, ended=ended)
    assert (caught.value.reason, caught.value.sent) == ("broken", True)
    return caught.value


ANSWERS: dict[str, tuple[bytes, int, bytes]] = {
    "length": (ok(b"hello"), 200, b"hello"),
    "length zero": (ok(b""), 200, b""),
    "chunks": (CHUNKED + b"3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n\r\n", 200, b"hello"),
    "chunks and trailers": (CHUNKED + b"5\r\nhello\r\n0\r\nContent-Type: a\r\nX: y\r\n\r\n", 200, b"hello"),
    "chunks whose content looks like their end": (CHUNKED + b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", 200, b"0\r\n\r\n"),
    "an error": (ok(b"no", status=b"404 Not Found"), 404, b"no"),
    "no content": (head(status=b"204 No Content"), 204, b""),
    "hints first": (HINTS + ok(b"hello"), 200, b"hello"),
    "continue and hints first": (head(status=b"100 Continue") + HINTS + HINTS + ok(b"hello"), 200, b"hello"),
    "HTTP/1.0 that is kept alive": (ok(b"hello", b"Connection: keep-alive").replace(b"1.1", b"1.0"), 200, b"hello"),
}


@pytest.mark.parametrize(("raw", "status", "body"), ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_is_the_same_wherever_it_is_cut(raw: bytes, status: int, body: bytes) -> None:
    for cut in range(len(raw) + 1):
        answer = received(raw[:cut], raw[cut:])
        assert (answer.status, answer.fetch(), answer.idle_seconds > 0) == (status, body, True), cut
    bytewise = received(*(raw[at : at + 1] for at in range(len(raw))))
    assert (bytewise.status, bytewise.fetch(), bytewise.idle_seconds > 0) == (status, body, True)


@pytest.mark.parametrize("raw", [one[0] for one in ANSWERS.values()], ids=ANSWERS.keys())
def test_an_answer_that_is_cut_off_anywhere_is_broken(raw: bytes) -> None:
    for cut in range(len(raw)):
        assert fault(raw[:cut], ended=True).detail.startswith("the server closed the connection")


@pytest.mark.parametrize("raw", [one[0] for one in ANSWERS.values()], ids=ANSWERS.keys())
@pytest.mark.parametrize(
    "extra",
    [b"\r\n", b"\r", b"\n", b"\r\n\r\n", b"x", b"\x00", b"HTTP/1.1 2", b"0\r\n\r\n", ok(b"other"), HINTS],
    ids=repr,
)
def test_bytes_behind_an_answer_belong_to_nobody_and_spend_the_connection(raw: bytes, extra: bytes) -> None:
    expected = received(raw).fetch()
    whole = raw + extra
    for cut in range(len(raw) - 6, len(whole) + 1):
        answer = received(whole[:cut], whole[cut:])
        assert answer.complete
        assert answer.fetch() == expected
        assert answer.idle_seconds <= 0, cut


def test_a_body_without_a_frame_ends_with_the_connection_and_spends_it() -> None:
    answer = received(head(), b"one", b"two")
    assert not answer.complete
    answer.end()
    assert (answer.fetch(), answer.complete, answer.idle_seconds > 0) == (b"onetwo", True, False)


@pytest.mark.parametrize(
    "lines",
    [
        [b"Connection: close", b"Content-Length: 2"],
        [b"Connection: x, Close", b"Content-Length: 2"],
        [b"Connection: close", b"Transfer-Encoding: chunked"],
    ],
)
def test_an_answer_that_says_so_is_the_last_on_its_connection(lines: list[bytes]) -> None:
    answer = received(head(*lines), b"ab" if len(lines[1]) == 17 else b"2\r\nab\r\n0\r\n\r\n")
    assert (answer.fetch(), answer.complete, answer.idle_seconds > 0) == (b"ab", True, False)


def test_an_answer_of_http_1_0_is_the_last_unless_it_says_otherwise() -> None:
    assert received(ok(b"a").replace(b"1.1", b"1.0")).idle_seconds <= 0


FAULTS: dict[str, bytes] = {
    "length and chunks": head(b"Content-Length: 3", b"Transfer-Encoding: chunked"),
    "chunks and length": head(b"Transfer-Encoding: chunked", b"Content-Length: 3"),
    "two lengths": head(b"Content-Length: 3", b"Content-Length: 4"),
    "one length twice": head(b"Content-Length: 3", b"Content-Length: 3"),
    "a list of lengths": head(b"Content-Length: 3, 3"),
    "a signed length": head(b"Content-Length: +3"),
    "no number": head(b"Content-Length: 0x3"),
    "a length beyond 64 bit": head(b"Content-Length: 99999999999999999999"),
    "another coding": head(b"Transfer-Encoding: gzip, chunked"),
    "chunked is not the last coding": head(b"Transfer-Encoding: chunked, identity"),
    "chunked twice": head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "a compressed body": ok(b"x", b"Content-Encoding: br"),
    "two media types": ok(b"x", b"Content-Type: application/json", b"content-type: text/event-stream"),
    "two sessions": ok(b"x", b"Mcp-Session-Id: a", b"Mcp-Session-Id: b"),
    "no content with chunks": head(b"Transfer-Encoding: chunked", status=b"204 No Content"),
    "switching protocols": head(b"Upgrade: x", b"Connection: upgrade", status=b"101 Switching"),
    "switching without saying to what": head(status=b"101 Switching"),
    "hints with a body": head(b"Content-Length: 1", status=b"103 Early Hints"),
    "endless hints": HINTS * (MAX_INTERIM + 1),
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a line end first": b"\r\n" + ok(b"x"),
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status 99": b"HTTP/1.1 099 Odd\r\n\r\n",
    "a folded line": head(b"X-A: a", b" b"),
    "a space before the colon": head(b"Content-Length : 3"),
    "a control character in a value": head(b"X-A: b\x00c"),
    "a line too long": head(b"X-A: " + b"a" * 16_384),
    "an unfinished line too long": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 16_500,
    "too many headers": head(*(b"X-%d: y" % n for n in range(MAX_HEADERS + 1))),
    "too long a head": head(*(b"X-%d: " % n + b"y" * 8000 for n in range(9))),
    "a bad chunk": CHUNKED + b"zz\r\n",
    "a chunk longer than it says": CHUNKED + b"2\r\nabcd\r\n",
    "endless trailers": CHUNKED + b"0\r\n" + b"X-A: b\r\n" * 20_000,
}


@pytest.mark.parametrize("raw", FAULTS.values(), ids=FAULTS.keys())
def test_what_is_no_acceptable_answer_is_broken_wherever_it_is_cut(raw: bytes) -> None:
    fault(raw)
    for cut in {*range(1, min(len(raw), 200)), *range(200, len(raw), 5000)}:
        fault(raw[:cut], raw[cut:])


def test_endless_trailers_and_extensions_end_while_they_come() -> None:
    for endless in (b"0\r\n" + b"X-A: b\r\n" * 50, b"1;" + b"x" * 500):
        assert fault(CHUNKED, endless, *[endless[3:]] * 500)


def held_by(first: bytes, pieces: list[bytes]) -> tuple[int, ReceivedAnswer]:
    """Bytes of memory that an answer holds of these pieces."""
    answer = received(first)
    tracemalloc.start()
    try:
        for piece in pieces:
            answer.feed(piece)
        return tracemalloc.get_traced_memory()[0], answer
    finally:
        tracemalloc.stop()


def test_a_body_in_tiny_chunks_takes_about_as_much_memory_as_it_has_bytes() -> None:
    held, answer = held_by(CHUNKED, [b"4\r\nabcd\r\n" * 5000] * 10)
    assert held < 2 * 200_000
    assert answer.buffered == 200_000
    assert answer.fetch() == b"abcd" * 50_000


def test_a_body_in_tiny_segments_takes_about_as_much_memory_as_it_has_bytes() -> None:
    held, answer = held_by(head(b"Content-Length: 100000"), [bytes([n % 256, 7]) for n in range(50_000)])
    assert held < 2 * 100_000
    assert answer.fetch() == b"".join(bytes([n % 256, 7]) for n in range(50_000))


@given(st.binary(max_size=20_000), st.lists(st.integers(0, 20_000), max_size=6), st.integers(0, 20_001))
def test_what_is_buffered_can_be_looked_at_from_anywhere_and_stays(body: bytes, cuts: list[int], start: int) -> None:
    answer = ReceivedAnswer(KnownHeads())
    answer.feed(head(b"Content-Length: %d" % (len(body) + 1)))
    places = sorted({0, *(cut for cut in cuts if cut < len(body)), len(body)})
    for begin, end in pairwise(places):
        answer.feed(body[begin:end])
    assert answer.peek(start) == body[start:]
    assert answer.fetch() == body


def test_large_and_small_pieces_of_a_body_keep_their_order() -> None:
    pieces = [bytes([65 + n]) * size for n, size in enumerate([1, 5000, 2, 3, 4096, 4095, 9000, 1, 1])]
    answer = received(head(), *pieces)
    assert answer.buffered == sum(map(len, pieces))
    assert answer.fetch() == b"".join(pieces)
    assert (answer.fetch(), answer.buffered) == (b"", 0)


@pytest.mark.parametrize("chunk", [b"1\r\na\r\n", b"2\r\nab\r\n", b"1;%b\r\na\r\n" % (b"x" * 5000)])
def test_frames_far_longer_than_their_content_are_broken_however_much_comes_between(chunk: bytes) -> None:
    assert "frames" in fault(CHUNKED, *[chunk * 50] * 2000).detail


def test_a_body_that_its_server_wrote_token_by_token_passes() -> None:
    assert received(CHUNKED, *[b"3\r\n, 1\r\n" * 100] * 2000, b"0\r\n\r\n").fetch() == b", 1" * 200_000


def test_a_head_of_the_largest_size_passes() -> None:
    lines = [b"X-%03d: " % n + b"y" * 400 for n in range(MAX_HEADERS - 1)]
    raw = ok(b"x", *lines)
    assert len(raw) < MAX_HEAD_BYTES
    assert received(raw).idle_seconds > 0


def test_the_same_value_twice_is_one_meaning() -> None:
    assert received(ok(b"x", b"Content-Type: text/plain", b"Content-Type: text/plain")).header("content-type")


def test_headers_of_hints_and_trailers_are_not_the_answers() -> None:
    hints = head(b"Mcp-Session-Id: hint", status=b"103 Early Hints")
    answer = received(hints + CHUNKED + b"0\r\nMcp-Session-Id: trailer\r\nContent-Type: text/plain\r\n\r\n")
    assert answer.header("mcp-session-id") is None
    assert answer.header("content-type") is None


def test_no_content_with_a_length_leaves_no_place_for_another_answer() -> None:
    answer = received(head(b"Content-Length: 5", status=b"204 No Content"))
    assert (answer.complete, answer.idle_seconds, answer.fetch()) == (True, 0, b"")


@given(st.binary(max_size=200), st.lists(st.integers(0, 400), max_size=6), st.sampled_from(["length", "chunks"]))
def test_any_body_comes_through_any_cuts_unchanged(body: bytes, cuts: list[int], framing: str) -> None:
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    raw = ok(body) if framing == "length" else CHUNKED + chunk + b"0\r\n\r\n"
    places = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    answer = received(*(raw[a:b] for a, b in pairwise(places)))
    assert (answer.fetch(), answer.idle_seconds > 0) == (body, True)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_garbage_is_broken_or_waits_but_is_never_an_answer(garbage: bytes, cut: int) -> None:
    answer = ReceivedAnswer(KnownHeads())
    with contextlib.suppress(UpstreamFault):
        for piece in filter(None, (garbage[:cut], garbage[cut:])):
            answer.feed(piece)
    assert not answer.status
    assert not answer.complete
