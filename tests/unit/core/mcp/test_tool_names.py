import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.tool_names import valid_upstream_name, why_invalid_name


@pytest.mark.parametrize("name", ["a", "get_time", "a.b-C_9", "x" * 128])
def test_a_plain_name_is_taken(name: str) -> None:
    assert valid_upstream_name(name)


@pytest.mark.parametrize("name", ["", "x" * 129, "a b", "a/b", "a\n", "caf\u00e9", "\uff21", "a:b", None, 7, b"a"])
def test_any_other_name_is_not_plain(name: object) -> None:
    assert not valid_upstream_name(name)


@pytest.mark.parametrize("name", ["x" * 129, "a b", "a/b", "a\n", "caf\u00e9", "\uff21", "pay\u202egnp", "x" * 1_024])
def test_a_name_that_is_not_plain_can_be_served_all_the_same(name: str) -> None:
    assert why_invalid_name(name) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (None, "a string"), (7, "a string"), (b"a", "a string"), ("", "empty"), ("x" * 1_025, "1025 bytes"),
        ("\u00e9" * 513, "1026 bytes"), ("a\x00b", "U+0000"), ("\ud83d", "half"),
    ],
)  # fmt: skip
def test_a_name_that_nobody_can_keep_or_send_is_refused_with_a_reason(name: object, words: str) -> None:
    reason = why_invalid_name(name)
    assert reason is not None
    assert words in reason
    assert reason.isascii()


@given(st.text(max_size=140))
def test_the_rule_is_the_one_of_the_protocol(name: str) -> None:
    assert valid_upstream_name(name) == bool(re.fullmatch(r"[A-Za-z0-9_.\-]{1,128}", name))
