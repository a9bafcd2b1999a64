"""Refresh tokens as clients bear them: only control makes them, and none of them is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from control.registry.refresh_token import BroughtToken, RefreshTokens, brought, new_salt
from core.identifiers import new_id
from core.keys import new_key, parse_key_ring

BEFORE, CURRENT = new_key(), new_key()
TOKENS = RefreshTokens(parse_key_ring("ARCHWAY_SECRET_KEY", CURRENT))
GRANT, SALT = new_id(), new_salt()


def parts(text: str) -> BroughtToken:
    found = brought(text)
    assert found is not None
    return found


def test_a_token_is_the_same_each_time_it_is_worked_out_and_another_for_each_number() -> None:
    token = TOKENS.token(GRANT, 1, SALT)

    assert token == TOKENS.token(GRANT, 1, SALT)
    assert parts(token).grant_id == GRANT
    assert TOKENS.is_ours(parts(token), SALT)
    assert len({TOKENS.token(GRANT, number, SALT) for number in range(1, 50)}) == 49


def test_a_token_of_another_number_grant_salt_or_key_is_not_ours() -> None:
    code = parts(TOKENS.token(GRANT, 1, SALT)).code
    other = RefreshTokens(parse_key_ring("ARCHWAY_SECRET_KEY", new_key()))

    assert not TOKENS.is_ours(BroughtToken(GRANT, 2, code), SALT)
    assert not TOKENS.is_ours(BroughtToken(new_id(), 1, code), SALT)
    assert not TOKENS.is_ours(BroughtToken(GRANT, 1, code), new_salt())
    assert not other.is_ours(BroughtToken(GRANT, 1, code), SALT)


def test_a_token_outlives_the_change_of_the_key() -> None:
    before = RefreshTokens(parse_key_ring("ARCHWAY_SECRET_KEY", BEFORE)).token(GRANT, 1, SALT)
    both = RefreshTokens(parse_key_ring("ARCHWAY_SECRET_KEY", f"{CURRENT},{BEFORE}"))

    assert both.is_ours(parts(before), SALT)
    assert both.token(GRANT, 1, SALT) != before


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param(lambda token: "", id="empty"),
        pytest.param(lambda token: "archr_", id="its mark alone"),
        pytest.param(lambda token: "arch_x", id="another kind"),
        pytest.param(lambda token: token + "A", id="too long"),
        pytest.param(lambda token: token[:-1], id="too short"),
        pytest.param(lambda token: token.replace("_1_", "_0_"), id="round 0"),
        pytest.param(lambda token: token.replace("_1_", "_-1_"), id="round -1"),
        pytest.param(lambda token: token.replace("_1_", "_1234567890_"), id="round of ten digits"),
        pytest.param(str.upper, id="capitals"),
        pytest.param(lambda token: token.replace("_1_", "_\u0661_"), id="a digit of another script"),
    ],
)
def test_what_is_out_of_form_is_none(spoiled: Callable[[str], str]) -> None:
    assert brought(spoiled(TOKENS.token(GRANT, 1, SALT))) is None
