import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.registry.own_names import own_names
from core.mcp.tool_names import valid_upstream_name


@pytest.mark.parametrize(
    ("upstream", "name"),
    [
        ("get_time", "get_time"),
        ("a.b-C_9", "a.b-C_9"),
        ("context7:query-docs", "context7_query-docs"),
        ("two words", "two_words"),
        ("caf\u00e9", "cafe"),
        ("github/search (v2)", "github_search_v2"),
        ("\u67e5\u8be2docs", "docs"),
    ],
)
def test_what_is_plain_stays_and_what_is_not_becomes_plain(upstream: str, name: str) -> None:
    assert own_names([upstream]) == {upstream: name}


@pytest.mark.parametrize("upstream", ["\u67e5\u8be2", "\U0001f600", "::", "\u202e"])
def test_a_name_of_which_nothing_is_left_is_a_tool_with_a_mark(upstream: str) -> None:
    name = own_names([upstream])[upstream]
    assert name.startswith("tool_")
    assert len(name) == 11


def test_a_long_name_is_cut_with_a_mark_so_that_two_of_one_beginning_stay_two() -> None:
    first, second = "x" * 200 + "a", "x" * 200 + "b"
    names = own_names([first, second])
    assert len(names[first]) == 128
    assert names[first] != names[second]


def test_of_two_that_would_have_one_name_the_plain_one_keeps_it() -> None:
    names = own_names(["a:b", "a_b"])
    assert names["a_b"] == "a_b"
    assert names["a:b"].startswith("a_b_")


@given(st.lists(st.text(min_size=1, max_size=20).filter(lambda name: "\x00" not in name), unique=True, max_size=6))
def test_every_name_is_plain_its_own_and_the_same_in_whatever_order_the_server_lists(upstream: list[str]) -> None:
    names = own_names(upstream)
    assert all(valid_upstream_name(name) for name in names.values())
    assert len(set(names.values())) == len(upstream)
    assert own_names(reversed(upstream)) == names
