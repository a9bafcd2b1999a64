from __future__ import annotations

import pytest

from control.providers.browser_round import BadReturn, address_with, code_in, new_state, new_verifier

ISSUER = "https://as.example"


def code(answer: dict[str, str], *, state: str = "s", names_issuer: bool = False, late: bool = False) -> str:
    return code_in(answer, state=state, issuer=ISSUER, names_issuer=names_issuer, late=late, whom="provider")


def why(answer: dict[str, str], **changes: object) -> str:
    with pytest.raises(BadReturn) as bad:
        code(answer, **changes)  # type: ignore[arg-type] # each test names what it changes
    return bad.value.why


def test_an_address_keeps_its_own_query_and_takes_what_is_not_empty() -> None:
    assert address_with("https://as.example/a?tenant=1", {"x": "a b&c", "empty": ""}) == (
        "https://as.example/a?tenant=1&x=a+b%26c"
    )
    assert address_with("https://as.example/a", {"x": "1"}) == "https://as.example/a?x=1"


def test_what_nobody_may_guess_is_made_anew_each_time_and_is_long() -> None:
    assert new_state() != new_state()
    assert new_verifier() != new_verifier()
    assert 43 <= len(new_verifier()) <= 128  # RFC 7636 section 4.1


def test_the_state_is_looked_at_before_all_else_and_an_empty_one_matches_nothing() -> None:
    assert code({"state": "s", "code": "c"}) == "c"
    assert why({"state": "x", "error": "access_denied"}, late=True) == "state"
    assert why({"code": "c"}) == "state"
    assert why({"state": "", "code": "c"}, state="") == "state"
    assert why({"state": "\udcff", "code": "c"}) == "state"


def test_then_who_answers_and_only_then_what() -> None:
    assert why({"state": "s", "error": "access_denied", "iss": "https://evil.example"}) == "issuer"
    assert why({"state": "s", "error": "access_denied"}, names_issuer=True) == "issuer"
    assert why({"state": "s", "error": "access_denied", "iss": ISSUER}, names_issuer=True) == "denied"
    assert why({"state": "s", "code": "c"}, late=True) == "late"


@pytest.mark.parametrize("bad", ["", "a\nb", "x" * 9_000])
def test_what_is_no_code_is_not_redeemed(bad: str) -> None:
    assert why({"state": "s", "code": bad}) == "no_code"
