"""CiliumNetworkPolicy: names are learned from questions, so that these pass one rule and no other."""

from __future__ import annotations

from dataclasses import replace

from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.cilium import cilium_policy
from control.orchestrator.kinds import Object
from control.registry.cluster_dns import ClusterDns
from core.egress.addresses import parse_networks
from core.egress.rules import Allowed, EgressRules
from tests.kube.policy_reading import denies_address
from tests.kube.wanted_servers import DEFAULTS, HTTP

NAMED = EgressRules(mode="restricted", allowed=(Allowed(("10.0.0.0/8",), ("a.example.com",)),))


def rules_of(rules: EgressRules, dns: ClusterDns | None = None) -> list[Object]:
    capabilities = Capabilities(provider="cilium", dns=dns or ClusterDns())
    made: list[Object] = cilium_policy(replace(HTTP, egress=rules), DEFAULTS, capabilities)["spec"]["egress"]
    return made


def test_where_names_are_allowed_every_rule_for_dns_says_which() -> None:
    """A plain one beside it would cancel it."""
    of_dns = [one for one in rules_of(NAMED) if one["toPorts"][0]["ports"][0]["port"] == "53"]
    assert len(of_dns) == 2
    assert all("rules" in one["toPorts"][0] for one in of_dns)


def test_without_names_nothing_is_asked_of_its_proxy_for_dns() -> None:
    """Which not every cluster has."""
    for mode in (
        EgressRules(mode="off"),
        EgressRules(),
        EgressRules(mode="restricted", allowed=(Allowed(("10.0.0.0/8",)),)),
    ):
        assert all("rules" not in ports for one in rules_of(mode) for ports in one.get("toPorts", ()))


def test_names_stand_in_a_rule_without_other_destinations() -> None:
    for one in rules_of(NAMED):
        assert len([key for key in one if key != "toPorts"]) == 1


def test_no_name_leads_to_an_address_that_is_shut_but_for_who_answers_for_names() -> None:
    dns = ClusterDns(addresses=("169.254.20.10", "10.0.0.10"))
    never = parse_networks("10.0.0.0/8")
    capabilities = Capabilities(provider="cilium", dns=dns, never=never)
    policy = cilium_policy(replace(HTTP, egress=NAMED), DEFAULTS, capabilities)
    for shut in ("169.254.169.254", "100.100.100.200", "fe80::1", "64:ff9b::a9fe:a9fe", "10.0.0.11"):
        assert denies_address([policy], shut), shut
    for open_ in (*dns.addresses, "203.0.113.1", "2001:db8::1"):
        assert not denies_address([policy], open_), open_


def test_names_are_asked_for_with_the_search_domains_of_the_cluster() -> None:
    (first, *_) = rules_of(NAMED, ClusterDns(domains=("svc.corp.example", "corp.example", "ec2.internal")))
    asked = [one["matchName"] for one in first["toPorts"][0]["rules"]["dns"]]
    assert asked == [
        "a.example.com",
        "a.example.com.servers.svc.corp.example",
        "a.example.com.svc.corp.example",
        "a.example.com.corp.example",
        "a.example.com.ec2.internal",
    ]


def test_what_would_be_no_name_with_a_search_domain_behind_it_is_left_out() -> None:
    long = ".".join(["a" * 60] * 4)
    (first, *_) = rules_of(EgressRules(mode="restricted", allowed=(Allowed(domains=(long,)),)))
    assert [one["matchName"] for one in first["toPorts"][0]["rules"]["dns"]] == [long]


def test_where_an_operator_shuts_all_addresses_nothing_is_said_of_them() -> None:
    shut = Capabilities(provider="cilium", never=parse_networks("0.0.0.0/0 ::/0"))
    made = cilium_policy(HTTP, DEFAULTS, shut)["spec"]["egress"]
    assert made == rules_of(EgressRules(mode="off"))


def test_all_names_pods_of_every_namespace_and_never_the_server_s_own_node() -> None:
    """On which link-local addresses are, too."""
    *_, pods, nodes = rules_of(EgressRules())
    expression = {"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}
    assert pods == {"toEndpoints": [{"matchExpressions": [expression]}]}
    assert nodes == {"toEntities": ["remote-node"]}
