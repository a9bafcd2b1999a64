from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import BadKey, decode_key, encode_key, new_key, parse_key_ring, refuse_repeats
from core.signing import new_key_before
from tests.fakes.keys import shares_its_identifier

WEAK = encode_key(b"ab" * 16)


def test_a_ring_closes_with_the_first_key_and_keeps_the_second() -> None:
    previous = new_key()
    current = new_key_before(previous)
    ring = parse_key_ring("K", f"{current},{previous}")
    assert ring.current.secret == decode_key("K", current)
    assert [key.secret for key in ring.keys] == [decode_key("K", current), decode_key("K", previous)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("not base64!", "not base64url"),
        (encode_key(b"short"), "has 5 bytes instead of 32"),
        (WEAK, "not random"),
        (new_key() + ",", "is empty"),
        (",".join(new_key() for _ in range(3)), "holds 3 keys"),
    ],
    ids=[
        "A-7: no key",
        "no base64url",
        "A-7: a short key",
        "A-7: a key that is not random",
        "a comma too many",
        "three",
    ],
)
def test_a_bad_key_is_refused_with_its_setting_and_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadKey, match=f"ARCHWAY_X.*{reason}"):
        parse_key_ring("ARCHWAY_X", text)


def test_two_keys_with_one_identifier_are_refused_with_the_command_that_makes_one_that_fits() -> None:
    key = new_key()
    with pytest.raises(
        BadKey, match=r"ARCHWAY_X.*share an identifier; make another current key with `archway keys new`"
    ):
        parse_key_ring("ARCHWAY_X", f"{shares_its_identifier(key)},{key}")


def test_a_refusal_does_not_show_the_key() -> None:
    key = new_key()
    with pytest.raises(BadKey) as refused:
        parse_key_ring("ARCHWAY_X", f"{key},{key}")
    assert key not in str(refused.value)
    assert key not in repr(parse_key_ring("ARCHWAY_X", key))


@pytest.mark.parametrize("settings", [pytest.param(("A", "B"), id="A-7: a key given twice")])
def test_one_secret_under_two_settings_is_refused(settings: tuple[str, str]) -> None:
    key = parse_key_ring("A", new_key())
    with pytest.raises(BadKey, match="B and A hold the same key"):
        refuse_repeats(dict.fromkeys(settings, key))
    refuse_repeats({"A": key, "B": parse_key_ring("B", new_key())})


def test_purposes_have_keys_of_their_own() -> None:
    key = parse_key_ring("A", new_key()).current
    assert key.derive("one") == key.derive("one") != key.derive("two")
    assert len(key.derive("one")) == 32


@given(st.binary(min_size=32, max_size=32).filter(lambda raw: len(set(raw)) >= 16))
def test_keys_survive_their_text_form(raw: bytes) -> None:
    assert decode_key("K", encode_key(raw)) == raw
