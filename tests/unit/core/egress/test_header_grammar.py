import re
import string

import pytest

from core.egress.header_grammar import MAY_REPEAT, NAME, VALUE, WRITTEN_BY_CLIENTS

# RFC 9110 section 5.6.2, "tchar".
NAME_CHARACTERS = set("!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters)
VALUE_CHARACTERS = {"\t", *map(chr, range(0x20, 0x7F))}


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [pytest.param(NAME, NAME_CHARACTERS, id="name"), pytest.param(VALUE, VALUE_CHARACTERS, id="value")],
)
def test_a_pattern_takes_its_characters_and_no_other(pattern: str, allowed: set[str]) -> None:
    assert {chr(code) for code in range(0x100) if re.fullmatch(pattern, chr(code))} == allowed


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [pytest.param(NAME, NAME_CHARACTERS, id="name"), pytest.param(VALUE, VALUE_CHARACTERS, id="value")],
)
def test_a_pattern_means_the_same_of_bytes(pattern: str, allowed: set[str]) -> None:
    taken = {code for code in range(0x100) if re.fullmatch(pattern.encode(), bytes([code]))}
    assert taken == {ord(character) for character in allowed}


def test_a_header_has_a_name_but_may_have_no_value() -> None:
    assert re.fullmatch(NAME, "") is None
    assert re.fullmatch(VALUE, "")


def test_what_may_repeat_is_named_as_headers_are_looked_up() -> None:
    assert all(re.fullmatch(NAME, name) and name == name.lower() for name in MAY_REPEAT)


@pytest.mark.parametrize("name", ["host", "authorization", "content-length", "content-type", "origin", "mcp-name"])
def test_what_is_judged_never_repeats(name: str) -> None:
    assert name not in MAY_REPEAT


def test_whatever_is_for_one_connection_alone_is_written_by_our_clients() -> None:
    # RFC 9110 section 7.6.1.
    assert {"connection", "keep-alive", "te", "transfer-encoding", "upgrade"} <= WRITTEN_BY_CLIENTS
