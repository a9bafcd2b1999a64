"""Forms of browsers and OAuth clients."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request

from control.http.forms import MAX_FORM, MOST_FIELDS, read_form, read_pairs
from control.http.problems import Problem

USUAL = "application/x-www-form-urlencoded"


def a_request(body: bytes, content_type: str = USUAL, **headers: str) -> web.Request:
    payload = StreamReader(Mock(_reading_paused=False), 1 << 20)
    payload.feed_data(body)
    payload.feed_eof()
    given = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return make_mocked_request("POST", "/x", headers=given, payload=payload, client_max_size=1 << 20)


async def test_fields_are_read_as_they_were_typed_and_as_often_as_one_likes() -> None:
    request = a_request(b"a=1&b=%C3%A9+%26&empty=")
    assert await read_form(request) == {"a": "1", "b": "é &", "empty": ""}
    assert await read_form(request) == {"a": "1", "b": "é &", "empty": ""}


async def test_a_field_that_is_given_twice_is_refused_unless_whoever_asks_wants_all_pairs() -> None:
    request = a_request(b"a=1&resource=x&resource=y")
    with pytest.raises(Problem, match="twice"):
        await read_form(request)
    assert (await read_pairs(request))[1:] == [("resource", "x"), ("resource", "y")]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"content_type": "application/json"}, 415),
        (b"a=1", {"content_type": USUAL + "; charset=utf-7"}, 415),
        (b"a=1", {"Content_Encoding": "gzip"}, 415),
        (b"a=" + b"x" * MAX_FORM, {}, 413),
        (b"a=\xff", {}, 400),
        (b"a=%FF", {}, 400),
        (b"a=%00", {}, 400),
        (b"&".join(b"f%d=1" % number for number in range(MOST_FIELDS + 1)), {}, 400),
    ],
)
async def test_what_no_browser_sends_is_refused(body: bytes, headers: dict[str, str], status: int) -> None:
    with pytest.raises(Problem) as refused:
        await read_form(a_request(body, **headers))
    assert refused.value.status == status


async def test_a_refusal_never_repeats_a_value() -> None:
    with pytest.raises(Problem) as refused:
        await read_form(a_request(b"password=hunter2&password=hunter3"))
    assert "hunter" not in str(refused.value.document("r"))
