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


def test_an_identifier_has_one_form() -> None:
    found = "01a1fbe6-cc8e-7d4e-8cae-d3cc056589e2"
    assert is_id(found)
    for other in (found.upper(), found.replace("-", ""), "{" + found + "}", f"urn:uuid:{found}", found[1:], "", "x"):
        assert not is_id(other)


@pytest.mark.parametrize(
    ("text", "fits"),
    [("a", True), ("a-1", True), ("1a", True), ("a" * 63, True), ("a" * 64, False), ("-a", False), ("a-", False),
     ("A", False), ("a_b", False), ("", False), ("a\n", False), ("é", False)],
)  # fmt: skip
def test_a_slug_is_a_dns_label(text: str, fits: bool) -> None:
    assert (SLUG.fullmatch(text) is not None) is fits
