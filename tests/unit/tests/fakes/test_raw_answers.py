"""Answers out of bytes: whole ones, their bodies by any framing, and nothing made up."""

import pytest

from tests.fakes.raw_answers import BrokenAnswer, answers_in

COUNTED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"


def test_answers_come_out_in_order_with_their_bodies() -> None:
    found, rest = answers_in(b"HTTP/1.1 100 Continue\r\n\r\n" + COUNTED + CHUNKED)
    assert [(one.status, one.body) for one in found] == [(100, b""), (200, b"hi"), (200, b"hi")]
    assert rest == b""


@pytest.mark.parametrize("whole", [COUNTED, CHUNKED])
def test_an_answer_that_is_not_whole_is_left_over(whole: bytes) -> None:
    for cut in range(len(whole)):
        assert answers_in(whole[:cut]) == ([], whole[:cut])


def test_an_answer_to_a_head_has_no_body() -> None:
    found, rest = answers_in(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + COUNTED)
    assert [one.body for one in found] == [b"", b"hi"]
    assert rest == b""
    assert answers_in(COUNTED[:-2])[0] == []
    assert [one.body for one in answers_in(COUNTED[:-2], head_last=True)[0]] == [b""]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_without_framing_all_that_is_left_is_the_body(version: str) -> None:
    (only,), rest = answers_in(f"HTTP/{version} 200 OK\r\nConnection: close\r\n\r\nhi".encode())
    assert (only.body, only.says_close, rest) == (b"hi", True, b"")


@pytest.mark.parametrize(
    "raw",
    [
        b"hi\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhi\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhi\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nhi HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_said_to_be_broken(raw: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        answers_in(raw)
