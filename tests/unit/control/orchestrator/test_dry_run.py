"""What a cluster says of a server before it is run: nothing is there afterwards, and what was not asked is told."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from control.orchestrator.cluster import Cluster
from control.orchestrator.dry_run import tried_out
from control.servers.runtime import Refused
from tests.kube.fake_server import FakeKube
from tests.kube.wanted_servers import DEFAULTS, HTTP
from tests.unit.control.orchestrator.override.said_overrides import of_server

WANTED = replace(HTTP, override=of_server(env=[{"name": "MODEL", "value": "small"}]))
SECURITY = 'pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
NO_RIGHT = 'pods is forbidden: User "system:serviceaccount:a:b" cannot create resource "pods" in API group ""'


async def test_a_deployment_and_a_pod_of_it_are_judged_and_nothing_is_kept(cluster: Cluster, kube: FakeKube) -> None:
    assert await tried_out(cluster, WANTED, DEFAULTS) == ""
    asked = [one for one in kube.requests if one.method == "POST"]
    assert [(one.path.rpartition("/")[2], one.dry) for one in asked] == [("deployments", True), ("pods", True)]
    pod = orjson.loads(asked[1].body)
    assert {"name": "MODEL", "value": "small"} in pod["spec"]["containers"][0]["env"]
    assert (kube.things("deployments"), kube.things("pods")) == ([], [])


async def test_what_admission_says_of_the_pod_is_a_refusal(cluster: Cluster, kube: FakeKube) -> None:
    kube.faults.add(403, method="POST", path="/pods", message=SECURITY)
    with pytest.raises(Refused, match="violates PodSecurity"):
        await tried_out(cluster, WANTED, DEFAULTS)


async def test_what_the_api_says_of_the_deployment_is_a_refusal(cluster: Cluster, kube: FakeKube) -> None:
    kube.faults.add(422, method="POST", path="/deployments", message="spec.template: Invalid value")
    with pytest.raises(Refused, match="Invalid value"):
        await tried_out(cluster, WANTED, DEFAULTS)


async def test_without_the_right_to_create_pods_it_is_told_that_it_was_not_asked(
    cluster: Cluster, kube: FakeKube
) -> None:
    kube.faults.add(403, method="POST", path="/pods", message=NO_RIGHT)
    assert "may not create pods" in await tried_out(cluster, WANTED, DEFAULTS)


async def test_of_a_cluster_that_is_away_it_is_told_that_it_was_not_asked(cluster: Cluster, kube: FakeKube) -> None:
    kube.faults.add(500, method="POST")
    assert "was not tried out in the cluster" in await tried_out(cluster, WANTED, DEFAULTS)
