from __future__ import annotations

import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.identifiers import SLUG, is_id, new_id


def test_an_identifier_is_a_uuid_of_version_7_and_tells_its_time() -> None:
    before = time.time_ns() // 1_000_000
    found = uuid.UUID(new_id())
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert before <= found.int >> 80 <= time.time_ns() // 1_000_000


def test_identifiers_differ_within_a_millisecond() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_threads_never_get_the_same_chance() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [new_id() for _ in range(2_000)], range(8)))
    assert len({one for some in made for one in some}) == 16_000


def test_every_digit_that_may_vary_does() -> None:
    made = [new_id() for _ in range(5_000)]
    fixed = {8: "-", 13: "-", 14: "7", 18: "-", 23: "-"}
    assert {place: made[0][place] for place in fixed} == fixed
    assert {one[19] for one in made} == set("89ab")
    for place in (*range(15, 18), *range(20, 23), *range(24, 36)):
        assert {one[place] for one in made} == set("0123456789abcdef")


FORKING = """
import os
from core.identifiers import new_id
new_id()  # there is a reserve
child = os.fork()
os.write(1, new_id()[14:].encode() + b"\\n")  # at once, for two write here
if child:
    os.waitpid(child, 0)
"""


def test_a_forked_process_makes_other_identifiers() -> None:
    # In a process of its own: a fork of this one would copy its threads' locks.
    made = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, check=True, text=True).stdout.split()
    assert len(set(made)) == 2


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
