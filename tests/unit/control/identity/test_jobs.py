"""Which rule a token's claims fit; what comes of it is tested over the internal listener."""

from __future__ import annotations

from typing import Any

import pytest

from control.identity.jobs import rule_for
from control.registry.identity_provider import ServiceRule

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
