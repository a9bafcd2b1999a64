"""FQDNNetworkPolicy: it adds names, one port at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control.orchestrator.egress.gke import fqdn_policy
from core.egress.rules import Allowed, EgressRules
from tests.kube.wanted_servers import DEFAULTS, HTTP


def test_a_range_is_each_of_its_ports_once() -> None:
    group = Allowed(domains=("a.example.com",), ports=("443", "442-444"))
    made = fqdn_policy(replace(HTTP, egress=EgressRules(mode="restricted", allowed=(group,))), DEFAULTS)
    assert made is not None
    (rule,) = made["spec"]["egress"]
    assert [one["port"] for one in rule["ports"]] == [443, 442, 444]


@pytest.mark.parametrize(
    "rules",
    [
        EgressRules(),
        EgressRules(mode="off"),
        EgressRules(mode="restricted", allowed=(Allowed(cidrs=("10.0.0.0/8",)),)),
    ],
)
def test_without_names_there_is_none_since_one_without_rules_is_refused(rules: EgressRules) -> None:
    assert fqdn_policy(replace(HTTP, egress=rules), DEFAULTS) is None
