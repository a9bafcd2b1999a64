import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.event_stream import COMMENT_KEEPALIVE, Event, EventReader, EventStreamFault, encode_event

TALK = (
    b'\xef\xbb\xbf: hello\r\nid: 7\r\nretry: 250\r\ndata: {"a":1}\r\n\r\n'
    b"event: endpoint\rdata: /messages\rdata:two\r\r"
    b"data\n\n: bye\n\nunknown: field\ndata:x\n\n"
)
EVENTS = [Event(b'{"a":1}'), Event(b"/messages\ntwo", "endpoint"), Event(b""), Event(b"x")]


def read(pieces: list[bytes], reader: EventReader | None = None) -> list[Event]:
    reader = reader or EventReader()
    return [event for piece in pieces for event in reader.feed(piece)]


BEHIND = {
    b"": False,
    b": first\n\ndata: x\n\n": False,
    b"data: x\r\n\r\n": False,
    b"data: x\r\r": False,
    b"data: x\n\ndata: y\n\n": False,
    b"data: x\n\n\n": True,
    b"data: x\n\n: no data\n\n": True,
    b"data: x\n\nid: 3\n\n": True,
    b"data: x\n\ndata: y": True,
    b"data: x": True,
}


def test_all_line_ends_fields_and_comments_are_understood() -> None:
    assert read([TALK]) == EVENTS


@pytest.mark.parametrize("cut", range(len(TALK) + 1))
def test_a_cut_anywhere_changes_nothing(cut: int) -> None:
    assert read([TALK[:cut], TALK[cut:]]) == EVENTS


def test_single_bytes_change_nothing() -> None:
    assert read([TALK[at : at + 1] for at in range(len(TALK))]) == EVENTS


@pytest.mark.parametrize(
    ("stream", "last_id", "retry_ms"),
    [
        (b"data: x\n\n", b"", None),
        (b"id: 7\nretry: 250\n\n", b"7", 250),
        (b"id: 7\ndata: x\n\ndata: y\n\n", b"7", None),
        (b"id: 7\n\nid: 8\ndata: x\n", b"7", None),
        (b"id: 7\n\nid\n\n", b"", None),
        (b"id: 7\n\nid: a\0b\n\n", b"7", None),
        (b"retry: 1s\nretry: -1\nretry:\nretry: 1234567890\n\n", b"", None),
        (b"retry: 9\n", b"", 9),
    ],
)
def test_what_a_stream_is_taken_up_with_is_known(stream: bytes, last_id: bytes, retry_ms: int | None) -> None:
    reader = EventReader()
    read([stream], reader)
    assert (reader.last_id, reader.retry_ms) == (last_id, retry_ms)


@given(
    st.text(alphabet="\r\n:d \ufeff", max_size=60).map(lambda text: text.replace("d", "data:d").encode()),
    st.lists(st.integers(0, 300), max_size=6),
)
def test_any_stream_reads_the_same_however_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in itertools.pairwise(edges)]
    assert read(pieces) == read([stream])


@given(st.binary(max_size=80).map(lambda junk: b"data: " + junk + b"\n\n"), st.integers(1, 30), st.integers(1, 40))
def test_the_caps_hold_however_the_stream_is_cut(stream: bytes, step: int, cap: int) -> None:
    def outcome(pieces: list[bytes]) -> object:
        try:
            return read(pieces, EventReader(max_event_bytes=cap))
        except EventStreamFault:
            return "fault"

    assert outcome([stream[at : at + step] for at in range(0, len(stream), step)]) == outcome([stream])


def test_an_event_that_nothing_ended_is_not_given_out() -> None:
    assert read([b"data: half\n"]) == []


def test_ids_and_retry_times_are_passed_over() -> None:
    assert [event.data for event in read([b"id: 41\nretry: 1500\ndata: x\n\nid: 4\0 2\nretry: -1\n\n"])] == [b"x"]


def test_an_event_as_long_as_the_cap_passes_and_one_byte_more_does_not() -> None:
    # "data: " and the line end count.
    assert read([b"data: " + b"x" * 93 + b"\n\n"], EventReader(max_event_bytes=100)) != []
    with pytest.raises(EventStreamFault, match="100 bytes"):
        read([b"data: " + b"x" * 95], EventReader(max_event_bytes=100))


def test_many_short_lines_of_one_event_are_capped_together() -> None:
    with pytest.raises(EventStreamFault):
        read([b"data: x\n"] * 20, EventReader(max_event_bytes=100))


def test_an_event_of_many_short_lines_takes_about_as_much_memory_as_it_has_bytes() -> None:
    reader, piece = EventReader(), b"data:ab\n" * 8000
    tracemalloc.start()
    try:
        for _ in range(10):
            reader.feed(piece)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 10 * len(piece)
    assert reader.feed(b"\n") == [Event(b"ab\n" * 79_999 + b"ab")]


def test_an_endless_comment_is_capped() -> None:
    with pytest.raises(EventStreamFault):
        read([b":" + b"x" * 60] * 2, EventReader(max_event_bytes=100))


def test_short_comments_never_add_up() -> None:
    assert read([b": ping\n"] * 100 + [b"data: x\n\n"], EventReader(max_event_bytes=20)) == [Event(b"x")]


def test_a_flood_of_events_is_capped() -> None:
    reader = EventReader(max_events=3)
    assert len(reader.feed(b"data: x\n\n" * 3)) == 3
    with pytest.raises(EventStreamFault, match="more events"):
        reader.feed(b"data: x\n\n")


def test_a_cut_between_cr_and_lf_ends_no_event() -> None:
    assert read([b"data: a\r", b"\ndata: b\r\n\r\n"]) == [Event(b"a\nb")]


def test_a_byte_order_mark_hides_no_first_line_and_counts_only_there() -> None:
    assert read([b"\xef\xbb", b"\xbfdata: a\n\n"]) == [Event(b"a")]
    assert read([b"\n\xef\xbb\xbfdata: a\n\n"]) == []


def test_one_space_behind_the_colon_is_dropped_and_no_more() -> None:
    assert read([b"data:  a \ndata:b\n\n"]) == [Event(b" a \nb")]


def test_line_ends_count_towards_the_cap() -> None:
    assert read([b"data\n" * 20 + b"\n"], EventReader(max_event_bytes=100)) == [Event(b"\n" * 19)]
    with pytest.raises(EventStreamFault):
        read([b"data\n" * 20 + b":\n\n"], EventReader(max_event_bytes=100))


def test_events_under_the_cap_never_add_up() -> None:
    assert len(read([b"data: x\n\n"] * 50, EventReader(max_event_bytes=20))) == 50


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(stream: bytes) -> None:
    read([stream])


def test_a_message_is_one_data_line_and_reads_back() -> None:
    assert encode_event(b'{"a":1}') == b'data: {"a":1}\n\n'
    assert read([COMMENT_KEEPALIVE, encode_event(b'{"a":1}')]) == [Event(b'{"a":1}')]


@pytest.mark.parametrize("message", [b"{}\n\ndata: forged", b"{}\rdata: forged", b"{}\n"])
def test_a_message_with_a_line_end_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match="line ends"):
        encode_event(message)


@given(st.sampled_from(sorted(BEHIND)), st.lists(st.integers(0, 30)))
def test_what_stands_behind_the_last_event_is_told_however_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    reader, places = EventReader(), sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})
    for start, end in itertools.pairwise(places):
        reader.feed(stream[start:end])
    assert reader.behind is BEHIND[stream]
