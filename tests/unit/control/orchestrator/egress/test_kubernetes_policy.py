"""NetworkPolicy: who comes in, and what goes out by address."""

from __future__ import annotations

from dataclasses import replace

from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.kubernetes_policy import egress, network_policy
from control.registry.cluster_dns import ClusterDns, DnsPeer
from core.egress.addresses import parse_networks
from core.egress.rules import Allowed, EgressRules
from tests.kube.wanted_servers import DEFAULTS, HTTP

OFF = EgressRules(mode="off")


def test_only_proxies_of_ours_come_in_at_its_port() -> None:
    (rule,) = network_policy(HTTP, DEFAULTS, Capabilities())["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "archway"}
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "proxy"
    assert rule["ports"] == [{"protocol": "TCP", "port": "mcp"}]


def test_where_another_object_says_what_goes_out_this_one_says_nothing_of_it() -> None:
    spec = network_policy(replace(HTTP, egress=OFF), DEFAULTS, None)["spec"]
    assert spec["policyTypes"] == ["Ingress"]
    assert "egress" not in spec


def test_off_leaves_dns_alone() -> None:
    (rule,) = egress(OFF, Capabilities())
    assert {(one["protocol"], one["port"]) for one in rule["ports"]} == {("UDP", 53), ("TCP", 53)}


def test_who_answers_for_names_is_what_the_operator_says() -> None:
    dns = ClusterDns(peers=(DnsPeer("dns", "app", ("unbound",)),), addresses=("10.0.0.10", "fd00::a"))
    (rule,) = egress(OFF, Capabilities(dns=dns))
    assert rule["to"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "dns"}
    assert rule["to"][0]["podSelector"]["matchExpressions"][0]["values"] == ["unbound"]
    assert [one["ipBlock"]["cidr"] for one in rule["to"][1:]] == ["10.0.0.10/32", "fd00::a/128"]


def test_a_group_without_networks_is_no_rule_since_that_would_allow_all() -> None:
    rules = EgressRules(mode="restricted", allowed=(Allowed(domains=("api.example.com",)), Allowed()))
    assert len(egress(rules, Capabilities())) == 1


def test_where_an_operator_shuts_all_addresses_no_rule_is_left_that_would_allow_all() -> None:
    never = parse_networks("0.0.0.0/1 128.0.0.0/1 ::/0")
    assert egress(EgressRules(), Capabilities(never=never)) == egress(OFF, Capabilities())
