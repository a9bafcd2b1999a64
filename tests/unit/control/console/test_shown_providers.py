"""How an identity provider is doing, in a word, and which hosts of its wait for an admin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control.console.shown_providers import ShownProvider
from control.registry.identity_provider import Endpoints, ProviderState
from core.key_sets import HARD_S, PublicKey
from tests.fakes.providers import ISSUER, a_provider

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OWN = Endpoints(f"{ISSUER}/authorize", f"{ISSUER}/token", f"{ISSUER}/keys")
FOREIGN = Endpoints(f"{ISSUER}/authorize", "https://token.example.net/token", "https://keys.example.net/keys")
KEYS = (PublicKey(kty="RSA", kid="k1"),)


def shown(*, endpoints: Endpoints | None = OWN, state: dict[str, Any] | None = None, **changes: Any) -> ShownProvider:
    fresh = {"endpoints": endpoints, "keys": KEYS, "fetched_at": NOW, **(state or {})}
    return ShownProvider(a_provider(**changes), ProviderState(provider_id="p1", **fresh), "https://x/callback", NOW)


LONG_AGO = NOW - timedelta(seconds=HARD_S + 1)


@pytest.mark.parametrize(
    ("state", "changes", "health"),
    [
        ({}, {}, ("works", "ok")),
        ({}, {"enabled": False}, ("switched off", "quiet")),
        ({"endpoints": FOREIGN}, {}, ("waits for approval", "warn")),
        ({"fault": "it answered 503"}, {}, ("away, its keys still hold", "warn")),
        ({"fault": "it answered 503", "fetched_at": LONG_AGO}, {}, ("cannot be asked", "bad")),
        ({"fault": "it answered 503", "keys": ()}, {}, ("cannot be asked", "bad")),
        ({"endpoints": None, "keys": (), "fetched_at": None}, {}, ("not asked yet", "quiet")),
    ],
)
def test_its_health_is_a_word(state: dict[str, Any], changes: dict[str, Any], health: tuple[str, str]) -> None:
    assert shown(state=state, **changes).health == health


def test_a_foreign_host_is_told_with_what_is_there() -> None:
    hosts = shown(endpoints=FOREIGN, approved_hosts=("https://token.example.net",)).hosts
    assert [(one.origin, one.endpoints, one.approved) for one in hosts] == [
        ("https://keys.example.net", ("jwks_uri",), False),
        ("https://token.example.net", ("token_endpoint",), True),
    ]


def test_a_host_that_was_approved_and_is_named_no_more_can_still_be_taken_back() -> None:
    (host,) = shown(approved_hosts=("https://old.example.net",)).hosts
    assert (host.origin, host.endpoints, host.approved) == ("https://old.example.net", (), True)


def test_a_provider_that_was_never_asked_has_no_endpoints_and_no_hosts() -> None:
    never = shown(endpoints=None)
    assert (never.endpoints, never.hosts) == ([], [])
