from __future__ import annotations

from typing import Any

import pytest

from control.registry.credential import TokenExchange
from control.registry.exchange_warnings import exchange_warnings, provider_named
from control.registry.identity_provider import Exchange
from tests.fakes.providers import a_provider
from tests.fakes.registry import an_entry

ON = Exchange(enabled=True)


def warned(**changes: Any) -> list[str]:
    provider = a_provider(**{"exchange": ON, **changes})
    entry = an_entry(credential=TokenExchange(identity_provider_id=provider.id))
    return exchange_warnings(entry, {provider.id: provider})


def test_a_provider_that_exchanges_and_signs_in_is_nothing_to_warn_of() -> None:
    assert warned() == []
    assert provider_named(an_entry()) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"enabled": False}, "is switched off, so no caller"),
        ({"exchange": Exchange()}, "The exchange of"),
        ({"sign_in": False}, "only callers who come with a token of"),
    ],
)
def test_what_keeps_callers_out_is_told_of_the_entry(changes: dict[str, Any], words: str) -> None:
    (warning,) = warned(**changes)
    assert words in warning
