"""Words for one thing and for several, as help says them."""

from __future__ import annotations

import pytest

from archway.admin.nouns import one_of, several


@pytest.mark.parametrize(
    ("noun", "one", "many"),
    [
        ("token", "a token", "tokens"),
        ("user", "a user", "users"),
        ("entry", "an entry", "entries"),
        ("OAuth client", "an OAuth client", "OAuth clients"),
        ("gateway", "a gateway", "gateways"),
    ],
)
def test_a_word_has_its_article_and_its_plural(noun: str, one: str, many: str) -> None:
    assert (one_of(noun), several(noun)) == (one, many)
