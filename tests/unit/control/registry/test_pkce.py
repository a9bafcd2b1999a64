"""Challenges of PKCE."""

from __future__ import annotations

from control.registry.pkce import s256_challenge


def test_the_challenge_is_the_one_of_the_example_in_the_standard() -> None:
    # RFC 7636 appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert s256_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
