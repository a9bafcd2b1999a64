"""What single values do."""

from __future__ import annotations

import json
from itertools import takewhile
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
import yaml

from control.settings import from_environment
from tests.charts.conftest import Render
from tests.charts.keys import secrets_of_a_deployment
from tests.charts.matrix import HTTP_ROUTE, INGRESS, MATRIX, NEEDED, TOLERATION
from tests.charts.objects import container_of, named, of_kind, pod_of, secrets_of, settings_of
from tests.charts.rendering import CHART, NAMESPACE
from tests.house.tracked import ROOT


def test_helm_has_no_word_against_the_chart(helm: ModuleType) -> None:
    found = helm.lint(str(CHART), NEEDED, namespace=NAMESPACE, kube_version="v1.37.0")["messages"]
    assert [one["error"] for one in found] == ["icon is recommended"]


def test_servers_run_where_the_platform_does_unless_told_otherwise(render: Render) -> None:
    rendered = render(MATRIX["chosen nodes"])
    told = settings_of(rendered, "control")
    for plane in ("control", "proxy"):
        assert pod_of(rendered, plane)["nodeSelector"] == {"pool": "platform"}
        assert pod_of(rendered, plane)["tolerations"] == [TOLERATION]
    assert json.loads(told["ARCHWAY_SERVERS_NODE_SELECTOR"]) == {"pool": "platform"}
    assert json.loads(told["ARCHWAY_SERVERS_TOLERATIONS"]) == [TOLERATION]


def test_servers_can_be_sent_to_other_nodes_than_the_platform(render: Render) -> None:
    rendered = render(MATRIX["servers on other nodes"])
    assert pod_of(rendered, "proxy")["nodeSelector"] == {"pool": "platform"}
    assert "tolerations" not in pod_of(rendered, "proxy")
    assert json.loads(settings_of(rendered, "control")["ARCHWAY_SERVERS_NODE_SELECTOR"]) == {"pool": "tools"}
    assert json.loads(settings_of(rendered, "control")["ARCHWAY_SERVERS_TOLERATIONS"]) == [TOLERATION]


def test_servers_can_be_let_onto_all_nodes_while_the_platform_keeps_to_its_own(render: Render) -> None:
    rendered = render({**MATRIX["chosen nodes"], "servers": {"nodeSelector": {}, "tolerations": []}})
    told = settings_of(rendered, "control")
    assert json.loads(told["ARCHWAY_SERVERS_TOLERATIONS"]) == []
    assert json.loads(told["ARCHWAY_SERVERS_NODE_SELECTOR"]) == {}


def test_without_servers_control_has_no_right_in_the_cluster(render: Render) -> None:
    rendered = render(MATRIX["no servers of our own"])
    assert of_kind(rendered, "Role", "RoleBinding", "Namespace") == []
    assert not [name for name in settings_of(rendered, "control") if "SERVERS" in name or "RUNTIME" in name]


def test_namespaces_of_servers_let_in_only_what_is_restricted_and_outlive_the_release(render: Render) -> None:
    (made,) = of_kind(render({}), "Namespace")
    assert made["metadata"]["name"] == "archway-servers"
    assert made["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert made["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_namespaces_that_are_there_already_are_left_alone(render: Render) -> None:
    rendered = render(MATRIX["two namespaces of servers"])
    assert of_kind(rendered, "Namespace") == []
    assert settings_of(rendered, "control")["ARCHWAY_SERVERS_NAMESPACES"] == "tools-a,tools-b"


def test_the_ingress_answers_for_the_host_of_the_public_url_over_its_certificate(render: Render) -> None:
    rendered = render({"publicUrl": "https://mcp.example.com:8443/", "ingress": INGRESS})
    (ingress,) = of_kind(rendered, "Ingress")
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["tls"] == [{"hosts": ["mcp.example.com"], "secretName": "mcp-example-com"}]
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["mcp.example.com"]
    assert ingress["metadata"]["annotations"] == INGRESS["annotations"]


def test_secrets_of_other_names_are_taken(render: Render) -> None:
    rendered = render(MATRIX["secrets of other names"])
    assert secrets_of(rendered, "control")["ARCHWAY_SECRET_KEY"] == ("vault-keys", "ARCHWAY_SECRET_KEY")
    assert secrets_of(rendered, "proxy")["ARCHWAY_REDIS_URL"] == ("vault-connections", "ARCHWAY_REDIS_URL")
    assert pod_of(rendered, "proxy")["imagePullSecrets"] == [{"name": "registry"}]


def test_proxies_take_what_may_hold_a_password_from_the_secret_where_it_is_there(render: Render) -> None:
    env = container_of(render(MATRIX["secrets of other names"]), "proxy")["env"]
    told = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in env if "valueFrom" in one}
    assert {name: reference for name, reference in told.items() if reference.get("optional")} == {
        name: {"name": "vault-connections", "key": name, "optional": True}
        for name in ("HTTPS_PROXY", "ARCHWAY_OTLP_HEADERS")
    }


def test_authorities_of_ones_own_are_a_file_that_both_planes_read(render: Render) -> None:
    rendered = render(MATRIX["secrets of other names"])
    for plane in ("control", "proxy"):
        mount = next(one for one in container_of(rendered, plane)["volumeMounts"] if one["name"] == "ca")
        volume = next(one for one in pod_of(rendered, plane)["volumes"] if one["name"] == "ca")
        file = f"{mount['mountPath']}/{volume['configMap']['items'][0]['path']}"
        assert settings_of(rendered, plane)["ARCHWAY_CA_BUNDLE"] == file


def test_a_planes_own_setting_wins_over_the_one_of_both(render: Render) -> None:
    both = {"ARCHWAY_LOG_LEVEL": "WARNING"}
    rendered = render({"settings": both, "proxy": {"settings": {"ARCHWAY_LOG_LEVEL": "DEBUG"}}})
    assert settings_of(rendered, "control")["ARCHWAY_LOG_LEVEL"] == "WARNING"
    assert settings_of(rendered, "proxy")["ARCHWAY_LOG_LEVEL"] == "DEBUG"


def test_pods_are_replaced_when_a_setting_of_their_plane_changes(render: Render) -> None:
    before, after = render({}), render({"proxy": {"settings": {"ARCHWAY_WORKERS": "4"}}})
    changed = [
        plane
        for plane in ("control", "proxy")
        if named(before, "Deployment", f"archway-{plane}") != named(after, "Deployment", f"archway-{plane}")
    ]
    assert changed == ["proxy"]


def test_proxies_can_stay_behind_control_during_an_upgrade(render: Render) -> None:
    rendered = render(MATRIX["upgrade with proxies behind"])
    assert container_of(rendered, "control")["image"] == "registry.example.com/archway:0.2.0"
    assert container_of(rendered, "proxy")["image"] == "registry.example.com/archway:0.1.0"


def test_an_upgrade_of_the_platform_restarts_no_server(render: Render) -> None:
    before, after = render({}), render({"image": {**NEEDED["image"], "tag": "0.2.0"}})
    assert settings_of(before, "control") == settings_of(after, "control")
    assert settings_of(after, "control")["ARCHWAY_BASE_IMAGE"] == "registry.example.com/archway-base:0.1.0"


def test_a_proxy_has_time_for_its_calls_and_for_callers_to_go_elsewhere(render: Render) -> None:
    rendered = render({"proxy": {"graceSeconds": 120}})
    assert pod_of(rendered, "proxy")["terminationGracePeriodSeconds"] == 130
    assert container_of(rendered, "proxy")["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}
    assert settings_of(rendered, "proxy")["ARCHWAY_GRACE_SECONDS"] == "120"


def test_a_proxy_takes_callers_until_a_balancer_knows_that_it_leaves(render: Render) -> None:
    rendered = render({"proxy": {"leaveSeconds": 30}})
    assert pod_of(rendered, "proxy")["terminationGracePeriodSeconds"] == 30 + 30 + 5
    assert container_of(rendered, "proxy")["lifecycle"]["preStop"] == {"sleep": {"seconds": 30}}


@pytest.mark.parametrize("name", ["a" * 53, "archway-" + "b" * 45, "x", "archway.eu", "eu.west"])
def test_names_of_objects_stay_labels_whatever_the_release_is_called(name: str, render: Render) -> None:
    """63 characters, the most that a Service's name may have (RFC 1035)."""
    names = [one["metadata"]["name"] for one in render({"ingress": INGRESS}, name=name)]
    assert max(map(len, names)) <= 63
    assert not [one for one in names if one.endswith("-") or "--" in one or "." in one]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"publicUrl": ""}, "/publicUrl"),
        ({"publicUrl": "mcp.example.com"}, "/publicUrl"),
        ({"publicUrl": "https://mcp.example.com/gateways"}, "/publicUrl"),
        ({"publicUrl": "https://mcp..example.com"}, "/publicUrl"),
        ({"publicUrl": "https://mcp.example.com:65536"}, "/publicUrl"),
        ({"publicUrl": "https://192.0.2.1", "ingress": INGRESS}, "for a name, and not for an address"),
        ({"publicUrl": "https://192.0.2.1:8443", "httpRoute": HTTP_ROUTE}, "for a name, and not for an address"),
        ({"image": {"repository": ""}}, "/image/repository"),
        ({"image": {"repository": "archway", "tag": "latest"}}, "/image/tag"),
        ({"image": {"repository": "registry.example.com/archway:0.1.0"}}, "/image/repository"),
        ({"replicas": 3}, "'replicas' not allowed"),
        ({"proxy": {"replicas": "3"}}, "/proxy/replicas"),
        ({"proxy": {"replicas": 0}}, "/proxy/replicas"),
        ({"proxy": {"autoscaling": {"enabled": True, "cpuPercent": None}}}, "/proxy/autoscaling/metrics"),
        ({"proxy": {"autoscaling": {"enabled": True, "minReplicas": 9, "maxReplicas": 3}}}, "more than maxReplicas"),
        ({"proxy": {"autoscaling": {"maximum": 3}}}, "'maximum' not allowed"),
        (
            {"proxy": {"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}},
            "proxy.resources.requests.cpu, which is not set",
        ),
        ({"proxy": {"service": {"nodePort": 30400}}}, "/proxy/service/nodePort"),
        ({"proxy": {"service": {"externalTrafficPolicy": "Local"}}}, "/proxy/service/externalTrafficPolicy"),
        ({"proxy": {"service": {"loadBalancerClass": "a/b"}}}, "/proxy/service/loadBalancerClass"),
        (
            {"proxy": {"service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["198.51.100.1"]}}},
            "/proxy/service/loadBalancerSourceRanges/0",
        ),
        ({"proxy": {"settings": {"ARCHWAY_WORKERS": "16"}}}, "diskCacheSize.*give 1088Mi"),
        ({"settings": {"ARCHWAY_WORKERS": "2"}, "proxy": {"diskCacheSize": "128Mi"}}, "diskCacheSize.*give 192Mi"),
        ({"httpRoute": {"enabled": True}}, "/httpRoute/parentRefs"),
        ({"httpRoute": {"parentRefs": [{"namespace": "gateways"}]}}, "missing property 'name'"),
        ({"migrations": {"enabled": True}}, "'enabled' not allowed"),
        ({"migrations": {"deadlineSeconds": 5}}, "/migrations/deadlineSeconds"),
        ({"networkPolicies": {"metricsFrom": [{}]}}, "/networkPolicies/metricsFrom/0"),
        ({"monitoring": {"enabled": True}}, "networkPolicies.metricsFrom: monitoring is enabled"),
        ({"monitoring": {"interval": "often"}}, "/monitoring/interval"),
        ({"control": {"settings": {"ARCHWAY_CONTROL_METRICS_LISTEN": "x"}}}, "ARCHWAY_CONTROL_METRICS_LISTEN"),
        ({"settings": {"ARCHWAY_SECRET_KEY": "x"}}, "ARCHWAY_SECRET_KEY"),
        ({"control": {"settings": {"ARCHWAY_DATABASE_URL": "x"}}}, "ARCHWAY_DATABASE_URL"),
        ({"proxy": {"settings": {"ARCHWAY_PROXY_LISTEN": "0.0.0.0:80"}}}, "ARCHWAY_PROXY_LISTEN"),
        ({"settings": {"LOG_LEVEL": "DEBUG"}}, "LOG_LEVEL"),
        ({"settings": {"ARCHWAY_RECORDS_DAYS": 30}}, "ARCHWAY_RECORDS_DAYS"),
        ({"tolerations": [{"key": "a", "operator": "Is"}]}, "/tolerations/0/operator"),
        ({"tolerations": [{"operator": "Equal", "value": "b"}]}, "/tolerations/0/operator"),
        ({"servers": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}}, "/servers/tolerations/0"),
        ({"servers": {"namespaces": []}}, "/servers/namespaces"),
        ({"servers": {"namespaces": ["kube-system"]}}, "/servers/namespaces/0"),
        ({"servers": {"namespaces": [f"tools-{number}" for number in range(21)]}}, "/servers/namespaces"),
        ({"servers": {"egress": {"provider": "calico"}}}, "/servers/egress/provider"),
        ({"servers": {"egress": {"never": ["10.0.0.1"]}}}, "/servers/egress/never/0"),
        ({"servers": {"egress": {"never": ["10.0.0.0/33"]}}}, "/servers/egress/never/0"),
        ({"servers": {"egress": {"never": ["10.0.0.256/32"]}}}, "/servers/egress/never/0"),
        ({"servers": {"egress": {"dns": ["10.0.0.10, 10.0.0.11"]}}}, "/servers/egress/dns/0"),
        ({"servers": {"egress": {"dns": ["kube-dns"]}}}, "/servers/egress/dns/0"),
        ({"servers": {"egress": {"probeTargets": ["example.com:65536"]}}}, "/servers/egress/probeTargets/0"),
        ({"servers": {"egress": {"probeTargets": ["example.com"]}}}, "/servers/egress/probeTargets/0"),
        ({"servers": {"namespaces": ["Tools"]}}, "/servers/namespaces/0"),
        ({"servers": {"namespaces": [NAMESPACE]}}, "own namespace"),
        ({"servers": {"baseImage": "registry.example.com/base"}}, "/servers/baseImage"),
        ({"servers": {"baseImage": ""}}, "/servers/baseImage"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    values: dict[str, object], said: str, helm: ModuleType, render: Render
) -> None:
    with pytest.raises(helm.HelmError, match=said):
        render(values)


@pytest.mark.parametrize(
    "values",
    [
        {"publicUrl": "http://192.0.2.1:30400/"},
        {"image": {"repository": "localhost:5000/team/archway"}},
        {"image": {"repository": "archway"}},
        {"tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b"}, {"key": "a", "operator": "Exists"}]},
        {"servers": {"egress": {"never": ["0.0.0.0/0", "::/0", "fd00:20::/32", "10.255.255.255/32"]}}},
        {
            "servers": {
                "egress": {"dns": ["fd00::a", "openshift-dns/dns.operator.openshift.io/daemonset-dns=default"]}
            }
        },
        {"servers": {"egress": {"probeTargets": ["[2001:db8::1]:443", "192.0.2.1:65535"]}}},
    ],
)
def test_what_can_be_meant_is_taken_and_control_takes_it(
    values: dict[str, Any], render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in {**secrets_of_a_deployment(), **settings_of(render(values), "control")}.items():
        monkeypatch.setenv(variable, value)
    assert from_environment()


def test_the_values_of_the_page_on_installing_are_accepted(render: Render) -> None:
    page = (ROOT / "docs" / "operating" / "installing-on-a-cluster.md").read_text()
    _, _, after = page.partition("<!-- file values.yaml -->\n\n")
    block = "\n".join(takewhile(lambda line: line.startswith("    "), after.splitlines()))
    rendered = render(yaml.safe_load(dedent(block)))
    assert named(rendered, "Deployment", "archway-proxy")["spec"]["replicas"] == 3
    assert of_kind(rendered, "Ingress")


@pytest.mark.parametrize("plane", ["control", "proxy"])
def test_nodes_are_drained_one_replica_at_a_time_and_of_ill_ones_at_once(plane: str, render: Render) -> None:
    spec = named(render({}), "PodDisruptionBudget", f"archway-{plane}")["spec"]
    assert (spec["maxUnavailable"], spec["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


def test_targets_of_probes_are_told_in_one_setting(render: Render) -> None:
    told = settings_of(render(MATRIX["servers on Google"]), "control")
    assert told["ARCHWAY_PROBE_TARGETS"] == "192.0.2.1:443,example.com:443"
    assert "ARCHWAY_PROBE_TARGETS" not in settings_of(render({}), "control")


def test_what_the_values_say_of_egress_is_told_to_control(render: Render) -> None:
    told = settings_of(render(MATRIX["servers on AWS"]), "control")
    assert told["ARCHWAY_EGRESS_PROVIDER"] == "aws"
    assert told["ARCHWAY_EGRESS_NEVER"] == "10.20.0.0/16,fd00:20::/32"
    assert told["ARCHWAY_CLUSTER_DNS"] == "10.100.0.10,kube-system/k8s-app=coredns"
    by_default = settings_of(render({}), "control")
    assert not [name for name in by_default if "EGRESS" in name or "DNS" in name]


def test_uids_can_be_left_to_the_cluster_for_the_job_too(render: Render) -> None:
    pods = [one["spec"]["template"]["spec"] for one in of_kind(render(MATRIX["OpenShift"]), "Deployment", "Job")]
    assert len(pods) == 3
    for pod in pods:
        assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
