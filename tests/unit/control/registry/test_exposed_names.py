import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.registry.broken_rule import BrokenRule
from control.registry.exposed_names import check_exposed_name, default_name, free_name

SLUGS = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
TOOLS = st.from_regex(r"[A-Za-z0-9_.-]{1,128}", fullmatch=True)


def test_a_short_name_is_the_slug_and_the_tool() -> None:
    assert default_name("github", "search_issues") == "github__search_issues"


def test_a_name_of_45_characters_stands_and_one_of_46_is_cut_with_a_hash() -> None:
    assert default_name("a" * 10, "b" * 33) == "a" * 10 + "__" + "b" * 33
    cut = default_name("a" * 10, "b" * 34)
    assert len(cut) == 45
    assert re.fullmatch(r"a{10}__b{26}_[0-9a-f]{6}", cut)


def test_a_long_slug_leaves_room_for_the_tool() -> None:
    assert "__search_" in default_name("s" * 63, "search_issues_and_pull_requests")


def test_two_long_names_with_one_beginning_stay_two() -> None:
    assert default_name("github", "x" * 60 + "a") != default_name("github", "x" * 60 + "b")


def test_two_long_slugs_with_one_beginning_stay_two() -> None:
    assert default_name("s" * 50 + "a", "echo") != default_name("s" * 50 + "b", "echo")


def test_without_prefix_the_tool_keeps_its_own_name_up_to_64() -> None:
    assert default_name("github", "t" * 64, prefix=False) == "t" * 64
    assert len(default_name("github", "t" * 65, prefix=False)) == 64


def test_a_dot_becomes_an_underscore() -> None:
    assert default_name("files", "fs.read") == "files__fs_read"


@given(slug=SLUGS, tool=TOOLS, prefix=st.booleans())
def test_every_default_name_is_allowed_and_stable(slug: str, tool: str, prefix: bool) -> None:
    name = default_name(slug, tool, prefix=prefix)
    assert check_exposed_name(name) == name == default_name(slug, tool, prefix=prefix)
    assert len(name) <= (45 if prefix else 64)


@given(slug=SLUGS, tool=TOOLS, prefix=st.booleans())
def test_the_other_name_of_a_taken_one_is_allowed_too(slug: str, tool: str, prefix: bool) -> None:
    name = default_name(slug, tool, prefix=prefix)
    other = free_name(name, {name}, slug, tool, "installation")
    assert other != name
    assert check_exposed_name(other) == other


def test_a_free_name_stands() -> None:
    assert free_name("a__b", {"a__c"}, "x") == "a__b"


def test_when_the_other_name_is_taken_too_a_person_has_to_choose() -> None:
    other = free_name("a__b", {"a__b"}, "x")
    with pytest.raises(BrokenRule, match="give a name yourself"):
        free_name("a__b", {"a__b", other}, "x")


@pytest.mark.parametrize(
    ("slug", "tool", "prefix", "name"),
    [
        ("7geese", "list", True, "_7geese__list"),
        ("7geese", "list", False, "list"),
        ("crm", "2fa", True, "crm__2fa"),
        ("crm", "2fa", False, "_2fa"),
        ("crm", "-x", False, "_-x"),
        ("crm", "_x", False, "_x"),
        ("crm", ".hidden", False, "_hidden"),
    ],
)
def test_every_name_begins_with_a_letter_or_an_underscore(slug: str, tool: str, prefix: bool, name: str) -> None:
    assert default_name(slug, tool, prefix=prefix) == name


@pytest.mark.parametrize("name", ["", "a" * 65, "a.b", "a b", "ä", "a\n", "7a", "-a"])
def test_a_given_name_outside_the_alphabet_is_refused(name: str) -> None:
    with pytest.raises(BrokenRule, match="exposed_name"):
        check_exposed_name(name)
