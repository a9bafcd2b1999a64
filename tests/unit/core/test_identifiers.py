from __future__ import annotations

import time
import uuid

import pytest

from core.identifiers import SLUG, is_id, new_id


def test_an_identifier_is_a_uuid_of_version_7_and_tells_its_time() -> None:
    before = time.time_ns() // 1_000_000
    found = uuid.UUID(new_id())
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert before <= found.int >> 80 <= time.time_ns() // 1_000_000


def test_identifiers_differ_within_a_millisecond() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    "other", [str.upper, lambda text: text.replace("-", ""), lambda text: "{" + text + "}", lambda _: "x"]
)
def test_an_identifier_has_one_form(other: object) -> None:
    assert is_id(new_id())
    assert not is_id(other(new_id()))  # type: ignore[operator]  # a function of text


@pytest.mark.parametrize(
    ("text", "fits"),
    [("a", True), ("a-1", True), ("1a", True), ("a" * 63, True), ("a" * 64, False), ("-a", False), ("a-", False),
     ("A", False), ("a_b", False), ("", False), ("a\n", False), ("é", False)],
)  # fmt: skip
def test_a_slug_is_a_dns_label(text: str, fits: bool) -> None:
    assert (SLUG.fullmatch(text) is not None) is fits
