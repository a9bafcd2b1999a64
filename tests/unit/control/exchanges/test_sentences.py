"""What callers are told: who can put it right, and nothing that a provider wrote beside its word."""

from __future__ import annotations

import pytest

from control.exchanges import sentences
from core.resolve import InstallationRefusal
from tests.fakes.providers import a_provider
from tests.fakes.registry import an_entry

CRM, CORP = an_entry(name="CRM"), a_provider()


@pytest.mark.parametrize(
    ("refusal", "code", "said"),
    [
        (sentences.away(CRM, "Corp", "it is slow"), "provider_away", "Corp gives no token for it (it is slow)"),
        (sentences.no_provider(CRM), "not_allowed", "Ask an administrator of Archway"),
        (sentences.another_issuer(CRM, CORP, "https://b.test"), "not_allowed", "https://id.example.com"),
        (sentences.not_allowed(CRM, "is not for you"), "not_allowed", "CRM is not for you."),
        (sentences.sign_in_refused(CRM, CORP, "400"), "needs_sign_in", "sign in to Archway with Corp again"),
        (sentences.own_token_refused(CRM, CORP, "400"), "not_allowed", "call with a newer one"),
        (sentences.refused(CRM, "Corp said no"), "not_allowed", "CRM cannot be called: Corp said no."),
    ],
)
def test_a_refusal_says_who_can_put_it_right(refusal: InstallationRefusal, code: str, said: str) -> None:
    assert refusal.code == code
    assert said in refusal.sentence
    assert refusal.sentence.startswith(("CRM", "Corp"))


def test_what_is_still_asked_for_may_be_waited_for() -> None:
    refusal = sentences.under_way(CRM, "Corp")
    assert (refusal.code, refusal.under_way) == ("provider_away", True)
