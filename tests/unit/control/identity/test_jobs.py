"""Which rule a token's claims fit; what comes of it is tested over the internal listener."""

from __future__ import annotations

from typing import Any

import pytest

from control.identity.jobs import fits_none, rule_for
from control.registry.identity_provider import ServiceRule
from tests.fakes.providers import a_provider

DEPLOY = ServiceRule("deploy", {"repository": "acme/shop", "environment": "production"})
BUILD = ServiceRule("build", {"repository": "acme/*"})
POD = ServiceRule("pod", {"kubernetes.namespace": "jobs"})


@pytest.mark.parametrize(
    ("claims", "fits"),
    [
        pytest.param({"repository": "acme/shop", "environment": "production"}, DEPLOY, id="the first of two"),
        pytest.param({"repository": "acme/shop"}, BUILD, id="a claim is not there"),
        pytest.param({"repository": "acme/shop", "environment": "Production"}, BUILD, id="in another case"),
        pytest.param({"repository": "acme-evil/shop"}, None, id="an owner that begins alike"),
        pytest.param({"kubernetes": {"namespace": "jobs"}}, POD, id="by a path"),
        pytest.param({"kubernetes.namespace": "jobs"}, POD, id="by a name with a dot"),
        pytest.param({"repository": ["acme/shop"]}, None, id="a list"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_first_rule_whose_claims_are_all_there_decides(claims: dict[str, Any], fits: ServiceRule | None) -> None:
    assert rule_for((DEPLOY, BUILD, POD), claims) is fits


def test_a_rule_without_claims_fits_nothing() -> None:
    assert rule_for((ServiceRule("any", {}),), {"repository": "acme/shop"}) is None


def test_a_token_that_fits_no_rule_is_told_with_the_claims_that_rules_name_alone() -> None:
    provider = a_provider(service_rules=(DEPLOY, BUILD))
    claims: Any = {
        "repository": "evil/" + "x" * 500,
        "environment": "staging",
        "email": "ann@corp.test",
        "sub": "ann",
    }
    verdict = fits_none(provider, claims, "d")
    assert (verdict.principal, verdict.refusal, verdict.why) == (None, "unknown", "no_rule")
    assert verdict.said == f"repository=evil/{'x' * 59}, environment=staging"


def test_a_token_of_nobody_without_such_claims_is_told_with_its_subject() -> None:
    for rules in ((), (DEPLOY,)):
        verdict = fits_none(a_provider(service_rules=rules), {"sub": "ann"}, "d")
        assert (verdict.why, verdict.said) == ("nobody", "ann")
