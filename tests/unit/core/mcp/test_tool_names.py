import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.tool_names import valid_upstream_name, why_invalid_name


@pytest.mark.parametrize("name", ["a", "get_time", "a.b-C_9", "x" * 128])
def test_a_plain_name_is_taken(name: str) -> None:
    assert valid_upstream_name(name)


@pytest.mark.parametrize("name", ["", "x" * 129, "a b", "a/b", "a\n", "caf\u00e9", "\uff21", None, 7, b"a"])
def test_any_other_name_is_refused_with_a_reason(name: object) -> None:
    assert not valid_upstream_name(name)
    assert why_invalid_name(name)


def test_the_reason_spells_a_name_in_ascii() -> None:
    reason = why_invalid_name("pay\u202egnp")
    assert reason is not None
    assert reason.isascii()
    assert "\\u202e" in reason


@given(st.text(max_size=140))
def test_the_rule_is_the_one_of_the_protocol(name: str) -> None:
    assert valid_upstream_name(name) == bool(re.fullmatch(r"[A-Za-z0-9_.\-]{1,128}", name))
