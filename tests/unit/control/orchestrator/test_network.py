"""A server has one name, at its one port."""

from __future__ import annotations

from control.orchestrator.deployment import deployment
from control.orchestrator.egress.kubernetes_policy import network_policy
from control.orchestrator.network import service
from tests.kube.wanted_servers import DEFAULTS, HTTP, INSTALLATION


def test_policy_and_service_select_the_pods_of_this_installation_and_no_other() -> None:
    labels = deployment(HTTP, DEFAULTS)["spec"]["template"]["metadata"]["labels"]
    for selector in (
        network_policy(HTTP, DEFAULTS, None)["spec"]["podSelector"]["matchLabels"],
        service(HTTP, DEFAULTS)["spec"]["selector"],
    ):
        assert selector.items() <= labels.items()
        assert INSTALLATION in selector.values()


def test_a_service_leads_to_the_port_by_its_name() -> None:
    assert service(HTTP, DEFAULTS)["spec"]["ports"] == [
        {"name": "mcp", "port": 9000, "targetPort": "mcp", "protocol": "TCP"}
    ]
