from __future__ import annotations

from unittest.mock import patch

import pytest

from proxy.edge.answer_bytes import AnswerHeads, chunk
from proxy.exchange import Answer

OWN = {"X-Request-Id": "id", "Server": "archway"}


def fields(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines)


def test_the_usual_head_says_what_the_general_one_says() -> None:
    heads = AnswerHeads()
    usual, general = heads.usual("id", 2), heads.of(Answer(200, b"{}"), OWN, close=False)
    assert fields(usual) == fields(general)
    assert usual.endswith(b"\r\n\r\n")


def test_the_date_is_made_again_each_second() -> None:
    heads = AnswerHeads()
    with patch("proxy.edge.answer_bytes.time.time", return_value=0.9):
        assert fields(heads.usual("id", 0))[1]["Date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    with patch("proxy.edge.answer_bytes.time.time", return_value=1.0):
        assert fields(heads.usual("id", 0))[1]["Date"] == "Thu, 01 Jan 1970 00:00:01 GMT"


def test_an_answer_without_content_has_neither_length_nor_type() -> None:
    first, headers = fields(AnswerHeads().of(Answer(204), OWN, close=False))
    assert first == "HTTP/1.1 204 No Content"
    assert not {"Content-Length", "Content-Type"} & set(headers)


def test_an_accepted_message_has_an_empty_body() -> None:
    _, headers = fields(AnswerHeads().of(Answer(202), OWN, close=False))
    assert headers["Content-Length"] == "0"
    assert "Content-Type" not in headers


def test_the_last_answer_says_so() -> None:
    assert fields(AnswerHeads().of(Answer(400, b"{}"), OWN, close=True))[1]["Connection"] == "close"
    assert fields(AnswerHeads().of_stream(OWN, close=True))[1]["Connection"] == "close"


def test_a_stream_comes_in_chunks() -> None:
    _, headers = fields(AnswerHeads().of_stream(OWN, close=False))
    assert headers["Transfer-Encoding"] == "chunked"
    assert headers["Content-Type"] == "text/event-stream"
    assert "Content-Length" not in headers
    assert chunk(b"x" * 17) == b"11\r\n" + b"x" * 17 + b"\r\n"


@pytest.mark.parametrize("value", ["a\r\nX-B: c", "a\nb", "a\x00", "a\x7f"])
def test_a_value_cannot_end_its_header(value: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        AnswerHeads().of(Answer(200, b"{}", {"X-A": value}), OWN, close=False)
