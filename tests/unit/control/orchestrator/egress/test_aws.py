"""ApplicationNetworkPolicy: its own name, and wildcards that mean what was asked for."""

from __future__ import annotations

from dataclasses import replace

from control.orchestrator.egress.aws import application_policy
from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.kubernetes_policy import network_policy
from core.egress.rules import Allowed, EgressRules
from tests.kube.wanted_servers import DEFAULTS, HTTP

CAPABILITIES = Capabilities(provider="aws")
NAMED = replace(
    HTTP, egress=EgressRules(mode="restricted", allowed=(Allowed(domains=("a.example.com", "**.example.com")),))
)


def test_it_has_a_name_of_its_own() -> None:
    """Under one name, Amazon's controller takes the endpoints of one policy for those of the other."""
    own = application_policy(NAMED, DEFAULTS, CAPABILITIES)["metadata"]["name"]
    assert own == network_policy(NAMED, DEFAULTS, None)["metadata"]["name"] + "-fqdn"


def test_any_number_of_labels_is_its_one_wildcard() -> None:
    rules = application_policy(NAMED, DEFAULTS, CAPABILITIES)["spec"]["egress"]
    assert rules[-1]["to"] == [{"domainNames": ["a.example.com", "*.example.com"]}]


def test_names_and_networks_are_never_in_one_peer() -> None:
    both = EgressRules(mode="restricted", allowed=(Allowed(("10.0.0.0/8",), ("a.example.com",)),))
    rules = application_policy(replace(HTTP, egress=both), DEFAULTS, CAPABILITIES)["spec"]["egress"]
    assert all(len(peer.keys() & {"domainNames", "ipBlock"}) <= 1 for rule in rules for peer in rule["to"])
