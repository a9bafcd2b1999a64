from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from core.tokens import PREFIX, digest, new_token, well_formed


def test_a_new_token_is_well_formed_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(well_formed(token) == token and len(token) == 54 for token in tokens)


@given(st.integers(len(PREFIX), 53), st.sampled_from("abcXYZ019"))
def test_one_changed_character_is_noticed(place: int, character: str) -> None:
    token = new_token()
    changed = token[:place] + character + token[place + 1 :]
    assert (well_formed(changed) is not None) == (changed == token)


@given(st.text(max_size=80))
def test_made_up_text_is_no_token(text: str) -> None:
    assert well_formed(text) is None
    assert well_formed(PREFIX + text) is None


def test_a_token_in_other_text_or_other_digits_is_none() -> None:
    token = new_token()
    for text in (f" {token}", f"{token}\n", token.upper(), token[:-1], token.replace(PREFIX, "arch-")):
        assert well_formed(text) is None


def test_the_digest_is_of_the_whole_token() -> None:
    token = new_token()
    assert digest(token) == sha256(token.encode()).hexdigest()
