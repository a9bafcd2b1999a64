"""A server is reached by our proxies alone, at its one port."""

from __future__ import annotations

from control.orchestrator.deployment import deployment
from control.orchestrator.network import policy, service
from tests.kube.wanted_servers import DEFAULTS, HTTP, INSTALLATION


def test_only_proxies_of_ours_come_in_at_its_port() -> None:
    (rule,) = policy(HTTP, DEFAULTS)["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "archway"}
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "proxy"
    assert rule["ports"] == [{"protocol": "TCP", "port": "mcp"}]


def test_policy_and_service_select_the_pods_of_this_installation_and_no_other() -> None:
    labels = deployment(HTTP, DEFAULTS)["spec"]["template"]["metadata"]["labels"]
    for selector in (
        policy(HTTP, DEFAULTS)["spec"]["podSelector"]["matchLabels"],
        service(HTTP, DEFAULTS)["spec"]["selector"],
    ):
        assert selector.items() <= labels.items()
        assert INSTALLATION in selector.values()


def test_a_service_leads_to_the_port_by_its_name() -> None:
    assert service(HTTP, DEFAULTS)["spec"]["ports"] == [
        {"name": "mcp", "port": 9000, "targetPort": "mcp", "protocol": "TCP"}
    ]
