from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from control.identity.token_endpoint import UNSAID_S, ProviderTokens, kept_beside, tokens_in, unpacked
from control.providers.asking import ProviderAway

ANSWER = {"access_token": "at", "id_token": "it", "refresh_token": "rt", "token_type": "Bearer", "expires_in": 300}


def test_the_tokens_of_an_answer_come_out_with_their_end() -> None:
    assert tokens_in(ANSWER, 1000.0) == ProviderTokens("at", "it", "rt", 1300.0, obtained_at=1000.0)


def test_what_the_answer_leaves_out_is_empty() -> None:
    assert tokens_in({"access_token": "at", "token_type": "bearer"}, 1000.0) == ProviderTokens(
        "at", obtained_at=1000.0
    )


@pytest.mark.parametrize(("said", "end"), [("300", 1300.0), (True, 0.0), (-1, 0.0), ("soon", 0.0), (1 << 40, 0.0)])
def test_an_end_that_cannot_be_read_is_none(said: Any, end: float) -> None:
    assert tokens_in({**ANSWER, "expires_in": said}, 1000.0).expires_at == end


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": "a\nb"},
        {"access_token": "a" * 20_000},
        {"token_type": "mac"},
        {"token_type": None},
        {"refresh_token": ["rt"]},
    ],
    ids=["none", "a number", "two lines", "too long", "of another kind", "of no kind", "a list"],
)
def test_an_answer_that_cannot_be_used_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderAway):
        tokens_in({**ANSWER, **changes}, 1000.0)


def test_tokens_are_packed_to_be_sealed_and_shown_to_nobody() -> None:
    tokens = tokens_in(ANSWER, 1000.0)
    assert unpacked(tokens.packed()) == tokens
    assert "at" not in repr(tokens)


def test_what_a_refresh_gives_no_other_of_stays() -> None:
    before = tokens_in(ANSWER, 1000.0)
    given = tokens_in({"access_token": "at-2", "token_type": "bearer"}, 2000.0)
    assert kept_beside(before, given) == ProviderTokens(
        "at-2", "it", "rt", obtained_at=2000.0, id_token_is_older=True
    )
    rotated = ProviderTokens("at-2", "it-2", "rt-2")
    assert kept_beside(before, rotated) == rotated


def test_only_what_can_be_refreshed_has_no_end_for_good() -> None:
    assert ProviderTokens("at", refresh_token="rt", expires_at=5.0).ends_for_good is None
    for tokens in (ProviderTokens("at", expires_at=5_000.0), ProviderTokens("at", obtained_at=5_000.0 - UNSAID_S)):
        assert tokens.ends_for_good == datetime.fromtimestamp(5_000, UTC)
