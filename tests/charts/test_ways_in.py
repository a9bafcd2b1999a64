"""How callers get to the proxies: the Service, the Ingress, or a route of the Gateway API."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any

import pytest
import yaml

from tests.charts.conftest import Render
from tests.charts.custom_resources import said_against_custom
from tests.charts.matrix import HTTP_ROUTE, INGRESS, MATRIX
from tests.charts.objects import container_of, named, of_kind, pod_of, settings_of
from tests.house.tracked import ROOT


def test_a_route_leads_everything_for_the_public_host_to_the_proxies_for_as_long_as_it_takes(render: Render) -> None:
    (route,) = of_kind(render({"publicUrl": "https://mcp.example.com:8443", "httpRoute": HTTP_ROUTE}), "HTTPRoute")
    assert route["spec"] == {
        "parentRefs": HTTP_ROUTE["parentRefs"],
        "hostnames": ["mcp.example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "timeouts": {"request": "0s", "backendRequest": "0s"},
                "backendRefs": [{"name": "archway-proxy", "port": 8400}],
            }
        ],
    }


def test_a_gateway_that_knows_no_timeouts_is_told_of_none(render: Render) -> None:
    (route,) = of_kind(render(MATRIX["route without timeouts"]), "HTTPRoute")
    assert "timeouts" not in route["spec"]["rules"][0]


def test_a_route_may_stand_beside_an_ingress_while_one_moves(render: Render) -> None:
    rendered = render({"httpRoute": HTTP_ROUTE, "ingress": INGRESS})
    assert len(of_kind(rendered, "HTTPRoute", "Ingress")) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hostnames": ["MCP.example.com"]}, "hostnames"),
        ({"rules": []}, "rules"),
        ({"parents": []}, "'parents' was unexpected"),
    ],
)
def test_the_schema_of_a_route_sees(change: dict[str, object], said: str, render: Render) -> None:
    (route,) = of_kind(render({"httpRoute": HTTP_ROUTE}), "HTTPRoute")
    assert said in said_against_custom({**route, "spec": {**route["spec"], **change}})


def test_a_load_balancer_can_be_for_few_and_keep_addresses(render: Render) -> None:
    service = named(render(MATRIX["load balancer for few"]), "Service", "archway-proxy")["spec"]
    assert service["type"] == "LoadBalancer"
    assert service["externalTrafficPolicy"] == "Local"
    assert service["loadBalancerClass"] == "example.com/internal"
    assert service["loadBalancerSourceRanges"] == ["198.51.100.0/24"]


def test_proxies_that_end_tls_themselves_have_the_files_and_are_asked_over_tls_how_they_are(render: Render) -> None:
    rendered = render(MATRIX["TLS in the proxies"])
    container, told = container_of(rendered, "proxy"), settings_of(rendered, "proxy")
    (mount,) = (one["mountPath"] for one in container["volumeMounts"] if one["name"] == "tls")
    (volume,) = (one for one in pod_of(rendered, "proxy")["volumes"] if one["name"] == "tls")
    assert volume["secret"] == {"secretName": "mcp-example-com"}
    assert (told["ARCHWAY_TLS_CERT"], told["ARCHWAY_TLS_KEY"]) == (f"{mount}/tls.crt", f"{mount}/tls.key")
    probes = {name: container[name]["httpGet"]["scheme"] for name in container if name.endswith("Probe")}
    assert probes == dict.fromkeys(("startupProbe", "livenessProbe", "readinessProbe"), "HTTPS")
    assert "ARCHWAY_TLS_CERT" not in settings_of(render({}), "proxy")


def test_a_load_balancer_listens_where_a_url_without_a_port_leads(render: Render) -> None:
    rendered = render(MATRIX["TLS in the proxies"])
    (port,) = named(rendered, "Service", "archway-proxy")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (443, "gateways")
    (route,) = of_kind(rendered, "HTTPRoute")
    assert route["spec"]["rules"][0]["backendRefs"] == [{"name": "archway-proxy", "port": 443}]


def test_a_port_of_the_nodes_can_be_chosen(render: Render) -> None:
    (port,) = named(render(MATRIX["port of nodes"]), "Service", "archway-proxy")["spec"]["ports"]
    assert port == {"name": "gateways", "port": 8400, "targetPort": "gateways", "nodePort": 30400}


def test_a_service_within_the_cluster_says_nothing_of_the_outside(render: Render) -> None:
    spec = named(render({}), "Service", "archway-proxy")["spec"]
    assert spec.keys() == {"type", "selector", "ports"}


def parts_of_values() -> list[dict[str, Any]]:
    """The values that the page shows, in its order."""
    page = (ROOT / "docs" / "operating" / "ways-in-from-outside.md").read_text()
    blocks = re.findall(r"<!-- not run: a part of values -->\n\n((?:    .*\n|\n(?=    ))+)", page)
    return [yaml.safe_load(dedent(block)) for block in blocks]


@pytest.mark.parametrize("values", parts_of_values(), ids="-".join)
def test_what_the_page_shows_makes_a_way_in(values: dict[str, Any], render: Render) -> None:
    assert len(of_kind(render(values), "HTTPRoute", "Ingress")) == 1


def test_the_page_has_values_for_each_kind() -> None:
    shown = parts_of_values()
    classes = [part["ingress"].get("className", "gce") for part in shown if "ingress" in part]
    assert classes == ["traefik", "nginx", "alb", "archway", "gce"]  # the fourth: of EKS Auto Mode
    assert sum("httpRoute" in part for part in shown) == 1
