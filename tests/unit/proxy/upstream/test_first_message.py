"""The first message of a stream: found however the stream is cut, with nothing taken from the answer."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.answers import MAX_EVENTS
from proxy.upstream.first_message import FirstMessage
from proxy.upstream.pool.answer import ReceivedAnswer
from proxy.upstream.pool.head import KnownHeads
from tests.fakes.scripted_upstream import head

CAP = 1000
STREAMS = {
    b"data: one\n\ndata: two\n\n": b"one",
    b"event: message\r\nid: 7\r\nretry: 5\r\ndata: one\r\n\r\n": b"one",
    b": hello\n\nid: 1\ndata:\n\n\n\ndata: one\ndata: line\n\ndata: two\n\n": b"one\nline",
    b"\xef\xbb\xbfdata: one\r\rdata: two\r\r": b"one",
    b"data: %b\n\n" % (b"x" * 900): b"x" * 900,
    b"event: ping\ndata: zero\n\nevent: message\ndata: one\n\n": b"one",
    b"event: endpoint\ndata: /messages\n\n": None,
    b"data: not ended": None,
    b": nothing\n\nid: 1\n\n": None,
    b"data: %b\n\ndata: two\n\n" % (b"x" * CAP): b"",
    b"": None,
}


def of_stream(body: bytes) -> tuple[bytes, ReceivedAnswer]:
    return head(b"Content-Type: text/event-stream", b"Content-Length: %d" % (len(body) + 1)) + body, ReceivedAnswer(
        KnownHeads()
    )


@given(st.sampled_from(list(STREAMS)), st.lists(st.integers(0, 3000)), st.booleans())
def test_it_is_the_same_however_the_stream_is_cut_and_the_stream_stays_whole(
    body: bytes, cuts: list[int], small: bool
) -> None:
    raw, answer = of_stream(body)
    first, found = FirstMessage(answer, CAP), []
    places = range(len(raw) + 1) if small else sorted({0, *(cut for cut in cuts if cut < len(raw)), len(raw)})
    for start, end in pairwise(places):
        answer.feed(raw[start:end])
        found.append(first.look())
    assert first.data == STREAMS[body]
    assert found == sorted(found)  # once known it stays
    assert found[-1] is (STREAMS[body] is not None)
    assert answer.fetch() == body


def test_a_stream_of_more_events_than_are_allowed_has_none() -> None:
    raw, answer = of_stream(b"data\n\n" * (MAX_EVENTS + 1))
    first = FirstMessage(answer, CAP)
    answer.feed(raw)
    assert (first.look(), first.data) == (True, b"")


@pytest.mark.parametrize("size", [1, 10, 5000])
def test_looking_at_pieces_as_they_come_costs_as_much_as_they_hold(size: int) -> None:
    looked = 0

    class Answer(ReceivedAnswer):
        def peek(self, start: int) -> bytes:
            nonlocal looked
            new = super().peek(start)
            looked += len(new)
            return new

    raw, answer = of_stream(b"data: " + b"x" * 20_000)[0], Answer(KnownHeads())
    first = FirstMessage(answer, 30_000)
    for at in range(0, len(raw), size):
        answer.feed(raw[at : at + size])
        assert not first.look()
    assert looked == 20_006
