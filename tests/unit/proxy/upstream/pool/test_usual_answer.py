"""Chunks that are found in their bytes, as the parser of chunks finds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.pool.answer import ReceivedAnswer
from proxy.upstream.pool.head import KnownHeads, ReceivedHead
from proxy.upstream.pool.usual_answer import MOST_BEGUN, first_chunk, may_become_usual


def head(*lines: bytes) -> ReceivedHead:
    return KnownHeads().read(b"HTTP/1.1 200 OK\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n")


JSON = head(b"content-type: application/json", b"content-length: 5")
STREAM = head(b"content-type: text/event-stream", b"transfer-encoding: chunked")


@given(st.binary(min_size=1, max_size=300), st.binary(max_size=10))
def test_a_chunk_is_found_with_what_is_behind_it(content: bytes, behind: bytes) -> None:
    data = b"head%x\r\n%b\r\n%b" % (len(content), content, behind)
    found = first_chunk(data, 4)
    assert found is not None
    assert (found[0], data[found[1] :]) == (content, behind)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"5",
        b"5\r\n",
        b"5\r\n1234",
        b"5\r\n12345",
        b"5\r\n12345\r",
        b"5\r\n12345xx",
        b"0\r\n\r\n",
        b" 5\r\n12345\r\n",
        b"+5\r\n12345\r\n",
        b"0x5\r\n12345\r\n",
        b"5;a=b\r\n12345\r\n",
        b"000005\r\n12345\r\n",
        b"\r\n12345\r\n",
        b"5\n12345\r\n",
    ],
)
def test_a_chunk_that_is_not_whole_or_odd_is_none(data: bytes) -> None:
    assert first_chunk(data, 0) is None


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_beginning_of_a_usual_answer_may_become_one(content: bytes, data: st.DataObject) -> None:
    whole = b"%x\r\n%b\r\n" % (len(content), content)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert may_become_usual(whole[:cut], 0, STREAM)


@pytest.mark.parametrize(
    "data",
    [
        b"0\r\n",
        b"x",
        b"5;",
        b"\r",
        b"\r\n",
        b"123456",
        b"5\r\n12345\r\nx",
        b"5\r\n12345x",
        b"5\r\n12345\n",
        b"5\r\n12345xx",
    ],
)
def test_what_has_left_the_usual_does_not_come_back(data: bytes) -> None:
    assert not may_become_usual(data, 0, STREAM)


@given(st.lists(st.sampled_from([b"0", b"5", b"a", b"\r", b"\n", b"\r\n", b";", b"12345", b"x"]), max_size=6))
def test_what_may_become_one_is_no_fault_as_far_as_it_came(parts: list[bytes]) -> None:
    heads, began = KnownHeads(), b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    if may_become_usual(b"".join(parts), 0, STREAM):
        ReceivedAnswer(heads).feed(began + b"".join(parts))


def test_what_is_long_or_of_no_known_length_is_read_as_it_comes() -> None:
    long = head(b"content-type: application/json", b"content-length: %d" % (MOST_BEGUN + 1))
    unknown = head(b"content-type: application/json")
    assert may_become_usual(b"", 0, JSON)
    assert not may_become_usual(b"", 0, long)
    assert not may_become_usual(b"", 0, unknown)
    assert not may_become_usual(b"f" * (MOST_BEGUN + 1), 0, STREAM)
