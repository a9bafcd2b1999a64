from __future__ import annotations

from dataclasses import replace

import pytest

from control.orchestrator.cluster import Cluster
from control.orchestrator.foreign_secrets import check_foreign_secrets
from control.orchestrator.kinds import SECRET
from control.registry.pull_secret import OPT_IN_LABEL
from control.servers.runtime import Refused
from control.servers.wanted import PullSecret
from tests.kube.fake_server import FakeKube
from tests.kube.wanted_servers import BARE

SERVER = replace(BARE, pull_secrets=(PullSecret(name="theirs"), PullSecret(name="pull-1", docker_config="{}")))


async def kept_by_others(cluster: Cluster, labels: dict[str, str]) -> None:
    metadata = {"name": "theirs", "labels": labels}
    await cluster.apply(SECRET, "servers", {"apiVersion": "v1", "kind": "Secret", "metadata": metadata})


async def test_a_secret_whose_keeper_says_so_may_be_used(cluster: Cluster) -> None:
    await kept_by_others(cluster, {OPT_IN_LABEL: "true"})
    await check_foreign_secrets(cluster, "servers", SERVER)


@pytest.mark.parametrize("labels", [None, {}, {OPT_IN_LABEL: "false"}, {"team": "a"}])
async def test_one_that_is_not_there_or_is_not_offered_is_refused_by_name(
    cluster: Cluster, labels: dict[str, str] | None
) -> None:
    if labels is not None:
        await kept_by_others(cluster, labels)
    with pytest.raises(Refused, match=r"no secret theirs with the label archway\.dev/pull-secret=true") as why:
        await check_foreign_secrets(cluster, "servers", SERVER)
    assert why.value.cause == "pull_secret_missing"


async def test_nothing_is_asked_for_a_server_without_such_secrets(cluster: Cluster, kube: FakeKube) -> None:
    before = len(kube.requests)
    await check_foreign_secrets(cluster, "servers", replace(SERVER, pull_secrets=SERVER.pull_secrets[1:]))
    assert len(kube.requests) == before
