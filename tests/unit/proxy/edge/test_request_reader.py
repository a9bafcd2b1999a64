"""What the bytes of a connection are: each test is a conversation with the reader, without a socket and a clock."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise

import pytest

from proxy.edge import request_reader as reading
from proxy.edge.head_memory import HeadMemory
from proxy.edge.head_rules import HeadReader
from proxy.edge.request_reader import ReaderEvent, RequestReader
from proxy.exchange import Head, Judged
from tests.fakes.callers import a_user

HEAD = b"POST /v1/mcp/g HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n"
BODY = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
GET = b"GET /v1/mcp/g HTTP/1.1\r\nHost: h\r\n\r\n"
NOT_PLAIN = b"PUT /v1/mcp/g HTTP/1.1\r\nHost: h\r\n\r\n"


def post(body: bytes = BODY, more: bytes = b"") -> bytes:
    return HEAD % len(body) + more + b"\r\n" + body


def reader(memory: HeadMemory | None = None) -> RequestReader:
    made = RequestReader(HeadReader(), memory or HeadMemory())
    made.peer = "192.0.2.1"
    return made


def head_of(said: Head | ReaderEvent | None) -> Head:
    assert isinstance(said, Head)
    return said


class Server:
    """Serves whatever a reader reads, as a connection does whose pipeline and transport never wait."""

    def __init__(self, reads: RequestReader | None = None) -> None:
        self.reader = reads or reader()
        self.heads: list[Head] = []
        self.bodies: list[bytes] = []
        self.events: list[ReaderEvent] = []
        self.handed_over: bytes | None = None

    def feed(self, *pieces: bytes) -> Server:
        for piece in pieces:
            if self.handed_over is None:
                self.do(self.reader.feed(piece))
            else:
                self.handed_over += piece
        return self

    def do(self, said: Head | ReaderEvent | None) -> None:
        if isinstance(said, Head):
            self.heads.append(said)
            self.take_body()
            return
        if said is None:
            return
        self.events.append(said)
        if said is reading.BODY_CAME:
            self.take_body()
        elif said is reading.SKIPPED:
            self.do(self.reader.answered())
        elif said is reading.NEXT_CAME:
            self.do(self.reader.next_head())
        elif said is reading.NOT_PLAIN:
            self.handed_over = self.reader.hand_over()

    def take_body(self) -> None:
        body = self.reader.take_body()
        if body is not None:
            self.bodies.append(body)
            self.do(self.reader.answered())


def cut(whole: bytes, *places: int) -> list[bytes]:
    ends = [0, *places, len(whole)]
    return [whole[start:end] for start, end in pairwise(ends)]


# cut at every place


def test_a_request_cut_at_any_place_is_read_as_if_it_came_whole() -> None:
    whole = post()
    for place in range(1, len(whole)):
        server = Server().feed(*cut(whole, place))
        (head,) = server.heads
        assert (head.method, head.target, head.peer, server.bodies) == ("POST", "/v1/mcp/g", "192.0.2.1", [BODY])
        assert server.reader.state is reading.HEAD
        assert server.events[-1] is reading.IDLE


def test_requests_cut_at_any_two_places_are_read_in_order() -> None:
    bodies = [b"{}", b"", b'{"a":1}']
    whole = b"".join(post(body) for body in bodies)
    for places in combinations(range(1, len(whole)), 2):
        server = Server().feed(*cut(whole, *places))
        assert server.bodies == bodies
        assert server.events[-1] is reading.IDLE


def test_a_body_that_comes_byte_by_byte_counts_each() -> None:
    whole = post()
    at = whole.index(BODY)
    reads = reader()
    head_of(reads.feed(whole[:at]))
    assert reads.take_body() is None
    for number in range(1, len(BODY) + 1):
        assert reads.feed(whole[at + number - 1 : at + number]) is reading.BODY_CAME
        assert (reads.came, reads.size) == (1, number)
        assert reads.take_body() == (BODY if number == len(BODY) else None)
    assert reads.state is reading.SERVING


def test_bytes_that_are_not_plain_are_handed_over_whole_wherever_they_are_cut() -> None:
    whole = post() + NOT_PLAIN
    for place in range(1, len(whole)):
        server = Server().feed(*cut(whole, place))
        assert (server.bodies, server.handed_over) == ([BODY], NOT_PLAIN)
        assert server.reader.state is reading.ENDED


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_a_head_that_drips_in_is_handed_over_with_all_its_bytes(step: int) -> None:
    whole = post()
    pieces = [whole[start : start + step] for start in range(0, len(whole), step)]
    server = Server().feed(*pieces)
    assert (server.heads, server.handed_over, server.reader.drips) == ([], whole, True)
    assert server.events == [reading.HEAD_BEGUN, reading.NOT_PLAIN]


# heads


def test_a_head_that_has_begun_has_its_time_from_its_first_bytes() -> None:
    reads, whole = reader(), post()
    assert reads.feed(whole[:10]) is reading.HEAD_BEGUN
    assert reads.feed(whole[10:20]) is None
    assert reads.block_began
    head_of(reads.feed(whole[20:]))


def test_what_leaves_the_grammar_later_is_handed_over_while_its_time_runs() -> None:
    reads = reader()
    assert reads.feed(b"POST /v1/mcp/g HTTP/1.1\r\nHo") is reading.HEAD_BEGUN
    assert reads.feed(b"st: h\r\nTransfer-Encoding: chunked\r\n") is reading.NOT_PLAIN
    assert (reads.block_began, reads.drips, reads.state) == (True, False, reading.HANDING)
    assert reads.feed(b"\r\n") is None
    assert reads.hand_over() == b"POST /v1/mcp/g HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_head_that_is_long_and_not_whole_is_handed_over() -> None:
    reads = reader()
    begun = post()[:30] + b"".join(b"X-%d: %b\r\n" % (number, b"a" * 600) for number in range(14))
    assert reads.feed(b"POST / HTTP/1.1\r\n" + begun[begun.index(b"X-0") :]) is reading.NOT_PLAIN
    assert reads.drips


def test_a_head_is_known_again_by_what_was_judged_of_it_whatever_its_length_says() -> None:
    memory = HeadMemory()
    first = Server(reader(memory))
    head = head_of(first.reader.feed(post()))
    head.judged = Judged({}, "g", "192.0.2.1", caller=a_user("x"))
    first.reader.remember(head)
    second = reader(memory)
    assert head_of(second.feed(post(b"{}"))) is head
    assert second.take_body() == b"{}"


def test_a_head_of_which_nothing_was_accepted_is_not_remembered() -> None:
    memory = HeadMemory()
    reads = reader(memory)
    head = head_of(reads.feed(post()))
    head.judged = Judged({}, "g", "192.0.2.1")
    reads.remember(head)
    assert head_of(reader(memory).feed(post())) is not head


def test_a_head_that_an_overloaded_worker_refused_is_remembered() -> None:
    memory = HeadMemory()
    reads = reader(memory)
    head = head_of(reads.feed(post()))
    head.judged = Judged({}, "g", "192.0.2.1")
    reads.skip_body()
    reads.remember(head, refused=True)
    assert head_of(reader(memory).feed(post())) is head


# a body that nobody wants


def test_a_body_that_nobody_wants_is_read_away_wherever_it_is_cut() -> None:
    whole = post()
    for place in range(whole.index(BODY), len(whole)):
        rest = whole[place:] + post(b"{}")
        for further in range(1, len(rest)):
            server = Server()
            head_of(server.reader.feed(whole[:place]))
            assert server.reader.skip_body() is reading.BODY_WANTED
            server.feed(*cut(rest, further))
            assert server.bodies == [b"{}"]


def test_a_body_that_nobody_wants_and_that_is_there_is_skipped_at_once() -> None:
    for behind, bodies in ((b"", []), (post(b"{}"), [b"{}"])):
        server = Server()
        head_of(server.reader.feed(post() + behind))
        server.do(server.reader.skip_body())
        assert (server.events[0], server.bodies) == (reading.SKIPPED, bodies)


# what comes before its turn


def test_bytes_before_their_turn_are_kept_and_too_many_are_told() -> None:
    reads = reader()
    head_of(reads.feed(post()))
    assert reads.take_body() == BODY
    assert reads.feed(b"x" * reading.MOST_KEPT) is None
    assert reads.feed(b"x") is reading.ENOUGH
    assert reads.answered() is reading.NEXT_CAME
    assert reads.next_head() is reading.NOT_PLAIN
    assert len(reads.hand_over()) == reading.MOST_KEPT + 1


def test_a_little_may_stand_behind_a_stream_and_more_cuts_it() -> None:
    reads = reader()
    head_of(reads.feed(GET))
    assert reads.begin_stream()
    assert reads.feed(b"x" * reading.MOST_BEHIND_STREAM) is None
    assert reads.feed(b"x") is reading.TOO_MUCH


def test_a_stream_with_much_behind_it_does_not_begin() -> None:
    reads = reader()
    head_of(reads.feed(GET + b"x" * (reading.MOST_BEHIND_STREAM + 1)))
    assert not reads.begin_stream()
    assert reads.state is reading.SERVING


def test_what_came_behind_a_stream_has_its_turn_when_that_has_ended() -> None:
    server = Server()
    head_of(server.reader.feed(GET + post()))
    assert server.reader.begin_stream()
    server.do(server.reader.answered())
    assert server.bodies == [BODY]


def test_bytes_that_come_while_a_caller_does_not_read_wait_for_their_turn() -> None:
    server = Server()
    head_of(server.reader.feed(post()))
    assert server.reader.take_body() == BODY
    server.reader.wait_for_caller()
    server.feed(post(b"{}")[:50], post(b"{}")[50:])
    assert server.reader.state is reading.WRITING
    server.do(server.reader.answered())
    assert server.bodies == [b"{}"]


# the end


def test_after_the_last_answer_the_rest_of_an_unwanted_body_is_awaited() -> None:
    reads = reader()
    whole = post(more=b"Connection: close\r\n")
    head_of(reads.feed(whole[:-10]))
    assert reads.size < reads.length
    assert reads.answered() is reading.LAST_BODY_WANTED
    assert reads.feed(whole[-10:-1]) is None
    assert reads.feed(whole[-1:]) is reading.OVER


def test_after_the_last_answer_nothing_is_awaited_where_the_body_was_read() -> None:
    reads = reader()
    head_of(reads.feed(post(more=b"Connection: close\r\n")))
    assert reads.take_body() == BODY
    assert reads.answered() is reading.OVER


def test_a_body_that_was_refused_halfway_is_not_the_next_request() -> None:
    reads = reader()
    whole = post()
    head_of(reads.feed(whole[:-10]))
    assert reads.take_body() is None
    reads.closes = True
    assert reads.answered() is reading.LAST_BODY_WANTED
    assert reads.feed(whole[-10:] + post()) is reading.OVER


ENDS: dict[str, Callable[[RequestReader], object]] = {
    "more bytes": lambda reads: reads.feed(post()),
    "a turn": lambda reads: reads.next_head(),
    "a slow caller": lambda reads: reads.wait_for_caller(),
    "an answer": lambda reads: reads.answered(),
    "a body": lambda reads: reads.take_body(),
}


@pytest.mark.parametrize("late", ENDS.values(), ids=ENDS)
def test_what_comes_after_the_end_changes_nothing(late: Callable[[RequestReader], object]) -> None:
    reads = reader()
    head_of(reads.feed(post()[:-1]))
    reads.take_body()
    reads.end()
    assert late(reads) in (None, reading.OVER)
    assert (reads.state, reads.kept) == (reading.ENDED, b"")
