from __future__ import annotations

from control.accounts import no_token
from tests.fakes.registry import an_entry, an_installation


def test_a_provider_that_is_away_asks_nobody_to_sign_in() -> None:
    refusal = no_token.away(an_entry(), an_installation(), "id.example answered 503")
    assert refusal.code == "provider_away"
    assert refusal.sentence == (
        "The installation 'Ours' of GitHub is still connected, but its provider gives no new token now: id.example "
        "answered 503. Try again in a minute; nobody has to sign in again."
    )
    assert not refusal.under_way
    assert no_token.under_way(an_entry(), an_installation()).code == "provider_away"
    assert no_token.under_way(an_entry(), an_installation()).under_way


def test_who_was_signed_out_is_told_what_helps() -> None:
    refusal = no_token.signed_out(an_entry(), an_installation(), "was signed out by its provider")
    assert refusal.code == "needs_sign_in"
    assert "archway installations update github@organisation" in refusal.sentence


def test_an_installation_that_is_gone_has_its_own_word() -> None:
    assert no_token.gone().code == "installation_gone"
