from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.uri_template import LONGEST, MOST_EXPRESSIONS, makes


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("file:///{name}", "file:///notes"),
        ("test://template/{id}/data", "test://template/123/data"),
        ("file:///{+path}", "file:///a/b/c.txt"),
        ("db://{table}{?limit,offset}", "db://people?limit=3"),
        ("db://{table}{?limit}", "db://people"),
        ("x://a{/parts*}", "x://a/b/c"),
        ("x://a{.ending}", "x://a.txt"),
        ("x://a{;matrix}", "x://a;b=1"),
        ("x://a{#part}", "x://a#b"),
        ("x://a?b=1{&c}", "x://a?b=1&c=2"),
        ("x://nothing/to/fill", "x://nothing/to/fill"),
    ],
)
def test_a_template_makes_what_it_may_expand_to(template: str, uri: str) -> None:
    assert makes(template, uri)


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("file:///{name}", "file:///a/b"),
        ("file:///{name}", "file:///"),
        ("file:///{name}", "http:///notes"),
        ("test://template/{id}/data", "test://template/123"),
        ("x://a.b", "x://aXb"),
        ("x://{a", "x://1"),
        ("x://a}", "x://a}"),
        ("x://{!a}", "x://1"),
        ("x://" + "{a}" * (MOST_EXPRESSIONS + 1), "x://" + "1" * 50),
        ("x://{a}", "x://" + "1" * LONGEST),
    ],
)
def test_a_template_makes_nothing_else_and_one_that_is_none_makes_nothing(template: str, uri: str) -> None:
    assert not makes(template, uri)


@pytest.mark.parametrize("between", ["", "a", "{b}", "{?b}{&c}"])
def test_a_template_that_could_be_read_in_endless_ways_is_compared_as_any_other(between: str) -> None:
    template = "x://" + f"{{+a}}{between}" * 5 + "{+a}" * 5
    assert makes(template, "x://" + "a" * (LONGEST - 10))
    assert not makes(template + "!", "x://" + "a" * (LONGEST - 10))


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_compared_without_a_fault(template: str, uri: str) -> None:
    assert makes(template, uri) in {True, False}


@given(st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True))
def test_what_a_variable_is_replaced_with_is_found_again(value: str) -> None:
    assert makes("x://{a}/end", f"x://{value}/end")
