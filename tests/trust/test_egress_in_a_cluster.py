"""K-5: what a pod may try, against the policies that stand around it: whatever is not its environment's is shut.

The policies are values, read by `tests/kube/policy_reading.py` as each provider documents them. That packets obey is
another matter: proved in network namespaces, and by probes in a cluster.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from control.orchestrator.deployment import deployment
from control.servers.runtime import Refused
from control.servers.wanted import WantedServer
from core.egress.rules import Allowed, EgressRules
from tests.kube.egress_cases import CLUSTERS, MODES, policies_of
from tests.kube.policy_reading import added_by_gke, may_ask_for, reaches_address, reaches_name, reaches_pods
from tests.kube.wanted_servers import DEFAULTS, HTTP, STDIO

WIDEST = EgressRules(mode="restricted", allowed=(Allowed(cidrs=("0.0.0.0/0", "::/0"), ports=("1-65535",)),))
METADATA = (
    "169.254.169.254",
    "169.254.170.2",
    "fd00:ec2::254",
    "168.63.129.16",
    "100.100.100.200",
    "64:ff9b::a9fe:a9fe",
)
INSIDE = [
    pytest.param("10.96.0.1", 443, id="K-5: API server"),
    pytest.param("10.244.1.7", 8080, id="K-5: other MCP pods"),
    pytest.param("10.0.0.21", 6379, id="K-5: Redis"),
    pytest.param("10.0.0.22", 5432, id="K-5: Postgres"),
]


@pytest.mark.parametrize("rules", [*MODES.values(), WIDEST], ids=[*MODES, "all networks"])
@pytest.mark.parametrize("ips", [pytest.param(METADATA, id="K-5: metadata address")])
def test_no_policy_of_any_provider_reaches_a_metadata_service(ips: tuple[str, ...], rules: EgressRules) -> None:
    for cluster in CLUSTERS:
        try:
            found = policies_of(cluster, rules)
        except Refused:
            continue
        for ip in ips:
            assert not any(reaches_address(found, ip, port) for port in (53, 80, 443, 8080))
            assert not reaches_address(found, ip, 53, "UDP")


@pytest.mark.parametrize("mode", ["off", "networks"])
@pytest.mark.parametrize(("ip", "port"), INSIDE)
def test_what_is_in_the_cluster_is_shut_unless_it_is_named(ip: str, port: int, mode: str) -> None:
    for cluster in CLUSTERS:
        found = policies_of(cluster, MODES[mode])
        assert not reaches_address(found, ip, port)
        assert not reaches_pods(found, port)


@pytest.mark.parametrize("ip", [pytest.param("93.184.216.34", id="K-5: the internet when disabled")])
def test_off_shuts_the_internet(ip: str) -> None:
    for cluster in CLUSTERS:
        found = policies_of(cluster, MODES["off"])
        assert not any(reaches_address(found, ip, port, way) for port in (53, 80, 443) for way in ("TCP", "UDP"))
        assert not reaches_name(found, "example.com", 443)
        assert not added_by_gke(found, "example.com", 443)


@pytest.mark.parametrize("name", [pytest.param("secret.attacker.example", id="K-5: DNS tunnelling")])
def test_with_cilium_only_names_that_are_allowed_are_asked_for_and_nobody_else_is_said_to_limit_that(
    name: str,
) -> None:
    for cluster, capabilities in CLUSTERS.items():
        if capabilities.provider != "kubernetes":
            limits = not may_ask_for(policies_of(cluster, MODES["names"]), name)
            assert limits == (capabilities.provider == "cilium") or not capabilities.dns.peers


@pytest.mark.parametrize("server", [pytest.param(HTTP, id="K-5: token not mounted"), STDIO])
def test_no_pod_has_a_token_of_the_cluster(server: WantedServer) -> None:
    pod = deployment(replace(server, egress=MODES["all"]), DEFAULTS)["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod
    assert not any("projected" in volume for volume in pod["volumes"])


@pytest.mark.parametrize("cluster", [pytest.param("eks_vpc_cni", id="K-5: FQDN without a provider"), "kubernetes"])
def test_names_that_nobody_holds_are_refused_and_never_widened(cluster: str) -> None:
    with pytest.raises(Refused) as refused:
        policies_of(cluster, MODES["names"])
    assert refused.value.cause == "egress_not_possible"
