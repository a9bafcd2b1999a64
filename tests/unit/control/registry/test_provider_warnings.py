from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from control.registry.identity_provider import Endpoints, Exchange, ProviderState, ServiceRule
from control.registry.provider_warnings import InUse, gateway_warning, provider_warnings
from core.jwk import NOT_FOR_SIGNATURES
from core.key_sets import HARD_S, PublicKey
from tests.fakes.providers import ISSUER, a_provider

NOW = 2_000_000_000.0
ENDPOINTS = Endpoints(f"{ISSUER}/a", f"{ISSUER}/t", f"{ISSUER}/k")
KEY = PublicKey("RSA", "a", n="n", e="AQAB")


def state(seconds_ago: float = 60, **changes: Any) -> ProviderState:
    fetched = datetime.fromtimestamp(NOW - seconds_ago, UTC)
    usual = {"provider_id": "p1", "endpoints": ENDPOINTS, "keys": (KEY,), "fetched_at": fetched}
    return ProviderState(**{**usual, **changes})


def warned(made: ProviderState, use: InUse | None = None, **changes: Any) -> str:
    return " ".join(provider_warnings(a_provider(**changes), made, NOW, use))


def test_a_provider_in_order_has_no_warning() -> None:
    assert warned(state()) == ""


def test_an_outage_says_how_long_the_keys_of_before_are_used() -> None:
    assert "23 h more" in warned(state(3_600, fault="nobody answers at id.example.com"))
    assert "too old" in warned(state(HARD_S + 1, fault="nobody answers"))
    assert "It cannot be asked: gone." in warned(state(keys=(), fetched_at=None, fault="gone"))


def test_hosts_that_nobody_approved_are_named() -> None:
    foreign = Endpoints(f"{ISSUER}/a", "https://tokens.test/t", f"{ISSUER}/k")
    assert "https://tokens.test" in warned(state(endpoints=foreign))
    assert warned(state(endpoints=foreign), approved_hosts=("https://tokens.test",)) == ""


def test_keys_that_are_not_used_are_told_with_why() -> None:
    assert "key 2 is a private key" in warned(state(skipped=("key 2 is a private key",)))


def test_a_key_for_encryption_is_nothing_to_warn_of() -> None:
    assert warned(state(skipped=(f"key 1 {NOT_FOR_SIGNATURES}",))) == ""


def test_a_provider_that_was_never_asked_is_told_how_to_be() -> None:
    assert "archway identity-providers test corp" in warned(ProviderState(provider_id="p1"))


def test_a_provider_that_cannot_be_asked_about_people_later_is_told() -> None:
    assert "offline_access" in warned(state(), scopes=("openid",))
    assert warned(state(), scopes=(), sign_in=False) == ""


def test_nothing_is_said_of_a_provider_that_is_switched_off() -> None:
    assert warned(state(fault="gone"), enabled=False) == ""


def test_a_gateway_is_told_why_it_takes_no_tokens_of_its_provider() -> None:
    provider = a_provider(audiences=("api://a",))
    assert gateway_warning(provider, "api://a", state(), NOW) == ""
    assert "switched off" in gateway_warning(a_provider(enabled=False), "api://a", state(), NOW)
    assert "audience" in gateway_warning(provider, "api://b", state(), NOW)
    assert gateway_warning(provider, "", state(), NOW) == "", "this one takes only assertions"
    assert "No keys" in gateway_warning(provider, "api://a", state(keys=()), NOW)
    assert "No keys" in gateway_warning(provider, "api://a", state(HARD_S), NOW)


def test_a_rule_whose_service_account_is_gone_or_disabled_is_named() -> None:
    rules = tuple(ServiceRule(one, {"repository": "acme/shop"}) for one in ("a1", "a2", "a3"))
    told = warned(state(), InUse(accounts={"a1": True, "a2": False}), service_rules=rules)
    assert "Rule 2 of its `service_rules` calls as a service account that is disabled" in told
    assert "Rule 3 of its `service_rules` calls as a service account that is deleted" in told
    assert "Rule 1" not in told


def test_servers_that_rest_on_what_is_switched_off_are_named() -> None:
    use = InUse(entries=("crm", "erp"))
    assert warned(state(), use, exchange=Exchange(enabled=True)) == ""
    assert "Nobody can call crm, erp" in warned(state(), use)
    assert "and it is switched off" in warned(state(), use, enabled=False, exchange=Exchange(enabled=True))
