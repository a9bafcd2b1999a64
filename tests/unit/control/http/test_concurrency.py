"""ETag and If-Match."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from control.http.concurrency import NEVER, etag, required_version
from control.http.problems import Problem


def required(*values: str) -> int | None:
    headers = CIMultiDict([("If-Match", value) for value in values])
    return required_version(make_mocked_request("PATCH", "/", headers=headers))


def status_of(*values: str) -> int:
    with pytest.raises(Problem) as refused:
        required(*values)
    return refused.value.status


def test_the_etag_of_a_version_asks_for_that_version() -> None:
    assert required(etag(7)) == 7


def test_a_star_asks_for_whatever_there_is() -> None:
    assert required("*") is None


def test_without_the_header_the_answer_is_428() -> None:
    assert status_of() == 428


@pytest.mark.parametrize("value", ["7", '"7', '"1", "2"', "", '"a b"'])
def test_what_is_not_one_tag_is_422(value: str) -> None:
    assert status_of(value) == 422


def test_two_headers_are_422() -> None:
    assert status_of('"1"', '"1"') == 422


@pytest.mark.parametrize("value", ['W/"7"', '"x"', '"07"', '"99999999999999999999"', '""'])
def test_a_tag_that_no_row_has_matches_none(value: str) -> None:
    assert required(value) == NEVER
