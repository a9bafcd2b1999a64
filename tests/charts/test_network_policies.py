"""Who may connect to the platform's own pods, judged as a cluster would: by labels and ports."""

from __future__ import annotations

import pytest

from tests.charts.conftest import KubernetesObject, Render
from tests.charts.matrix import MATRIX, PROMETHEUS
from tests.charts.objects import container_of, named, of_kind

Objects = list[KubernetesObject]


def let_in(objects: Objects, plane: str) -> dict[int, set[str]]:
    """Port to who may connect to it: `anybody`, a plane, or `metrics` for those whom the values name."""
    policy = named(objects, "NetworkPolicy", f"archway-{plane}")["spec"]
    pods = {
        other: named(objects, "Deployment", f"archway-{other}")["spec"]["template"]["metadata"]["labels"]
        for other in ("control", "proxy")
    }
    who: dict[int, set[str]] = {}
    for rule in policy["ingress"]:
        for port in rule["ports"]:
            for peer in rule.get("from", [{}]):
                wanted = peer.get("podSelector", {}).get("matchLabels", {})
                fitting = {one for one, labels in pods.items() if wanted and wanted.items() <= labels.items()}
                named_so = {"metrics"} if peer == PROMETHEUS else {"anybody"} if not peer else fitting
                who.setdefault(port["port"], set()).update(named_so)
    return who


def test_the_planes_let_in_each_other_and_callers_reach_gateways_alone(render: Render) -> None:
    rendered = render({})
    assert let_in(rendered, "proxy") == {8400: {"anybody"}, 8403: {"control"}}
    assert let_in(rendered, "control") == {8402: {"proxy"}, 8404: {"proxy"}}


@pytest.mark.parametrize(
    ("issuer", "who"),
    [("https://sign-in.example.com", {"anybody", "proxy"}), ("https://mcp.example.com/", {"proxy"})],
)
def test_people_whose_pages_have_another_address_are_let_in_to_control(
    issuer: str, who: set[str], render: Render
) -> None:
    assert let_in(render({"settings": {"ARCHWAY_ISSUER_URL": issuer}}), "control") == {8402: {"proxy"}, 8404: who}


@pytest.mark.parametrize("plane", ["control", "proxy"])
def test_metrics_are_for_whom_the_values_name(plane: str, render: Render) -> None:
    rendered = render(MATRIX["monitored"])
    ports = {port["name"]: port["containerPort"] for port in container_of(rendered, plane)["ports"]}
    assert let_in(rendered, plane)[ports["metrics"]] == {"metrics"}
    assert let_in(rendered, plane).keys() == set(ports.values())


def test_pods_of_another_release_in_the_namespace_are_not_let_in(render: Render) -> None:
    ours, others = render({}), render({}, name="archway-two")
    policy = named(ours, "NetworkPolicy", "archway-control")["spec"]["ingress"][0]["from"][0]["podSelector"]
    labels = named(others, "Deployment", "archway-two-proxy")["spec"]["template"]["metadata"]["labels"]
    assert not policy["matchLabels"].items() <= labels.items()


def test_ways_out_are_open_unless_the_values_name_them(render: Render) -> None:
    assert [one["spec"]["policyTypes"] for one in of_kind(render({}), "NetworkPolicy")] == [["Ingress"]] * 2


def test_ways_out_that_are_named_leave_dns_and_the_other_plane(render: Render) -> None:
    rendered = render(MATRIX["closed both ways"])
    control, proxy = (
        named(rendered, "NetworkPolicy", f"archway-{plane}")["spec"]["egress"] for plane in ("control", "proxy")
    )
    dns = {"ports": [{"protocol": protocol, "port": port} for port in (53, 5353) for protocol in ("UDP", "TCP")]}
    assert control[1:] == [dns, {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]
    assert proxy[1] == dns
    assert control[0]["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "proxy"


@pytest.mark.parametrize(
    ("servers", "namespaces"),
    [({"namespaces": ["tools-a", "tools-b"]}, ["tools-a", "tools-b"]), ({"enabled": False}, [])],
)
def test_ways_out_that_are_named_leave_proxies_the_servers_that_run_here(
    servers: dict[str, object], namespaces: list[str], render: Render
) -> None:
    rendered = render({**MATRIX["closed both ways"], "servers": servers})
    _, _, *rest = named(rendered, "NetworkPolicy", "archway-proxy")["spec"]["egress"]
    peers = [peer for rule in rest for peer in rule["to"]]
    assert [peer["namespaceSelector"]["matchLabels"] for peer in peers] == [
        {"kubernetes.io/metadata.name": name} for name in namespaces
    ]


def test_they_can_be_left_out(render: Render) -> None:
    assert of_kind(render(MATRIX["without network policies"]), "NetworkPolicy") == []
