"""Reading answers from a raw connection, as the load generators do."""

from __future__ import annotations

import pytest

from bench.answers import Answers

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
BARE = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED, BARE], ids=["length", "chunks", "neither"])
def test_an_answer_is_whole_with_its_last_byte_wherever_it_is_cut(answer):
    for cut in range(1, len(answer)):
        answers = Answers()
        assert answers.feed(answer[:cut]) is None
        assert answers.feed(answer[cut:]) == answer


def test_bytes_behind_an_answer_are_no_part_of_it():
    with pytest.raises(ValueError, match="behind"):
        Answers().feed(WHOLE + b"HTTP/1.1")


def test_the_head_says_status_and_whether_the_connection_ends():
    answers = Answers()
    answers.feed(b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    assert (answers.status, answers.closes) == (b"503", True)
