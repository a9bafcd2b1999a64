"""The Deployment of a server: hardened, and another template only for what another server is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.orchestrator.deployment import deployment
from control.orchestrator.identity import ENVIRONMENT
from control.servers.runtime import Refused
from control.servers.wanted import WantedServer
from core.egress.rules import EgressRules
from tests.kube.wanted_servers import DEFAULTS, HTTP, PLACED, STDIO, TAINTED


def template(wanted: WantedServer) -> Any:
    return deployment(wanted, DEFAULTS)["spec"]["template"]


def test_another_generation_alone_restarts_nothing() -> None:
    later = replace(STDIO, generation=STDIO.generation + 1)
    assert template(later) == template(STDIO)
    assert deployment(later, DEFAULTS) != deployment(STDIO, DEFAULTS)


@pytest.mark.parametrize(
    "change",
    [
        {"restarts_wanted": 1},
        {"command": ("uvx", "other")},
        {"secret_environment": {"API_KEY": "another"}},
        {"environment": {"LANG": "de_DE"}},
        {"base_image": "registry.example/base:2"},
        {"bridge_token": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_another_server_is_restarts_it(change: dict[str, Any]) -> None:
    assert template(replace(STDIO, **change)) != template(STDIO)


def test_one_that_is_drained_has_the_time_for_it_and_is_replaced_before_it_goes() -> None:
    assert template(replace(STDIO, drain_s=600.0))["spec"]["terminationGracePeriodSeconds"] == 630
    strategy = deployment(STDIO, DEFAULTS)["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxSurge": 1, "maxUnavailable": 0}


def test_the_restart_that_kubectl_asks_for_is_not_ours() -> None:
    assert list(template(STDIO)["metadata"]["annotations"]) == ["archway.dev/restarts"]


def test_one_that_is_asleep_has_no_pod_and_the_very_template_of_one_that_is_awake() -> None:
    awake, asleep = deployment(STDIO, DEFAULTS), deployment(replace(STDIO, asleep=True), DEFAULTS)
    assert (awake["spec"].pop("replicas"), asleep["spec"].pop("replicas")) == (1, 0)
    assert awake["spec"] == asleep["spec"]
    assert asleep["metadata"]["annotations"].pop("archway.dev/asleep") == "true"
    assert awake["metadata"] == asleep["metadata"]


def test_its_pod_has_no_account_and_no_rights() -> None:
    pod = template(HTTP)["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert (
        not {"serviceAccountName", "hostNetwork", "hostPID", "hostIPC", "nodeName", "priorityClassName"} & pod.keys()
    )
    assert all(one.keys() <= {"name", "emptyDir", "secret"} for one in pod["volumes"])


def test_files_are_read_only_and_for_its_group_alone() -> None:
    volume = next(one for one in template(HTTP)["spec"]["volumes"] if one["name"] == "files")["secret"]
    assert volume["defaultMode"] == 0o440
    assert [one["path"] for one in volume["items"]] == ["ca.pem", "key.pem"]


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "..data", "a\nb"])
def test_a_file_whose_name_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        deployment(replace(HTTP, files={name: "x"}), DEFAULTS)
    assert refused.value.cause == "configuration"


def test_pods_inherit_where_they_may_run() -> None:
    pod = deployment(STDIO, TAINTED)["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"pool": "mcp"}
    assert pod["tolerations"] == [{"key": "dedicated", "operator": "Equal", "value": "mcp", "effect": "NoSchedule"}]
    assert not {"nodeSelector", "tolerations"} & template(STDIO)["spec"].keys()


def test_an_environment_adds_to_the_labels_of_nodes_and_replaces_what_is_tolerated() -> None:
    pod = deployment(PLACED, TAINTED)["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"pool": "live", "zone": "a"}
    assert pod["tolerations"] == [{"key": "live", "operator": "Exists"}]
    bare = deployment(replace(PLACED, node_selector={}, tolerations=()), TAINTED)["spec"]["template"]["spec"]
    assert (bare["nodeSelector"], bare["tolerations"][0]["key"]) == ({"pool": "mcp"}, "dedicated")


def test_an_environment_is_named_on_the_deployment_and_renaming_it_restarts_nothing() -> None:
    found = deployment(PLACED, TAINTED)
    assert found["metadata"]["annotations"][ENVIRONMENT] == "Production"
    renamed = deployment(replace(PLACED, environment_name="Live", environment_id="other"), TAINTED)
    assert renamed["spec"] == found["spec"]
    assert ENVIRONMENT not in deployment(STDIO, DEFAULTS)["metadata"]["annotations"]


def test_what_a_server_may_reach_is_no_part_of_its_deployment() -> None:
    assert deployment(replace(STDIO, egress=EgressRules(mode="off")), DEFAULTS) == deployment(STDIO, DEFAULTS)
