import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.lines import END_BYTES, Lines, TooLong

pieces_of_bytes = st.lists(
    st.binary(max_size=40) | st.sampled_from([b"\n", b"\n\n", b"\r\n", b"a" * 30]), max_size=30
)


@given(pieces_of_bytes)
def test_lines_are_the_same_wherever_the_pieces_begin_and_end(pieces):
    lines, whole = Lines(1000), b"".join(pieces)

    found = [line for piece in pieces for line in lines.feed(piece)]

    assert found == whole.split(b"\n")[:-1]


@given(pieces_of_bytes, st.integers(1, 50))
def test_a_line_over_the_limit_is_told_by_its_ends_and_its_size_and_takes_no_other_along(pieces, most):
    lines, whole = Lines(most), b"".join(pieces)

    found = [line for piece in pieces for line in lines.feed(piece)]

    wanted = [
        line if len(line) <= most else TooLong(line[:END_BYTES], line[-END_BYTES:], len(line))
        for line in whole.split(b"\n")[:-1]
    ]
    assert found == wanted


@given(st.integers(END_BYTES, 4 * END_BYTES), st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_of_a_line_too_long_no_more_is_held_than_the_limit(most, sizes):
    lines = Lines(most)

    for size in sizes:
        assert lines.feed(b"x" * size) == []
        assert len(lines._open) <= max(most, END_BYTES)
        assert len(lines._end) <= END_BYTES


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","id":7,"result":{"x":"' + b"x" * 1000 + b'"}}',
        b'{ "jsonrpc": "2.0", "id": 7, "result": {"x":"' + b"x" * 1000 + b'"}}\r',
        b'{"result":{"x":"' + b"x" * 1000 + b'"},"jsonrpc":"2.0","id":7}',
        b'{"result":{"x":"' + b"x" * 1000 + b'"},"jsonrpc":"2.0", "id" : 7 } ',
    ],
    ids=["first", "first, with spaces", "last", "last, with spaces"],
)
def test_the_number_of_an_answer_too_long_is_known_where_it_is_certain(line):
    (found,) = Lines(100).feed(line + b"\n")

    assert found.number() == 7


@pytest.mark.parametrize(
    "line",
    [
        b'{"result":{"id":7,"x":"' + b"x" * 1000 + b'"},"jsonrpc":"2.0"}',
        b'{"jsonrpc":"2.0","result":{"x":"' + b"x" * 1000 + b'","id":7}}',
        b'{"jsonrpc":"2.0","result":"' + b"x" * 1000 + b'\\"id\\":7}"}',
        b'{"jsonrpc":"2.0","id":"7","result":"' + b"x" * 1000 + b'"}',
        b"x" * 1000,
    ],
    ids=["in the result, first", "in the result, last", "in a string", "a string", "nothing"],
)
def test_the_number_of_an_answer_too_long_is_not_guessed(line):
    (found,) = Lines(100).feed(line + b"\n")

    assert found.number() is None
