from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from control.orchestrator.cluster import Cluster, ClusterSaid, connected
from control.orchestrator.kinds import DEPLOYMENT, LEASE, SECRET, SERVICE
from control.servers.runtime import RuntimeAway
from core.settings import BadSetting
from tests.kube.fake_server import FakeKube
from tests.plugins.moved_clock import MovedClock


def secret(name: str = "s", **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels},
        "data": {"KEY": "c2VjcmV0"},
    }  # fmt: skip


async def test_what_is_applied_is_there_and_can_be_listed_by_its_labels(cluster: Cluster) -> None:
    await cluster.apply(SECRET, "servers", secret("s", a="b"))
    await cluster.apply(SECRET, "servers", secret("t", a="c"))
    found, version = await cluster.list(SECRET, "servers", "a=b")
    assert [one["metadata"]["name"] for one in found] == ["s"]
    assert version.isdigit()


async def test_what_is_applied_again_takes_away_what_was_left_out(cluster: Cluster) -> None:
    await cluster.apply(SECRET, "servers", secret("s", a="b"))
    found = await cluster.apply(SECRET, "servers", secret("s"))
    assert not found["metadata"].get("labels")


async def test_changes_are_told_from_a_version_on(cluster: Cluster) -> None:
    _, version = await cluster.list(SECRET, "servers", "")
    await cluster.apply(SECRET, "servers", secret())
    await cluster.delete(SECRET, "servers", "s")
    events = cluster.watch(SECRET, "servers", "", version, 1)
    assert [event async for event, _ in events][:2] == ["ADDED", "DELETED"]


async def test_a_version_that_is_too_old_is_told(cluster: Cluster, kube: FakeKube) -> None:
    await cluster.apply(SECRET, "servers", secret("a"))
    _, version = await cluster.list(SECRET, "servers", "")
    await cluster.apply(SECRET, "servers", secret("b"))
    kube.objects.forget_history()
    with pytest.raises(ClusterSaid) as said:
        async for _ in cluster.watch(SECRET, "servers", "", version, 1):
            pass
    assert said.value.status == 410


async def test_what_is_not_there_is_deleted(cluster: Cluster) -> None:
    await cluster.delete(SERVICE, "servers", "nothing")


async def test_a_refusal_has_the_words_of_the_api(cluster: Cluster) -> None:
    with pytest.raises(ClusterSaid) as said:
        await cluster.apply(SECRET, "elsewhere", secret())
    assert (said.value.status, said.value.reason) == (404, "NotFound")
    assert "elsewhere" in said.value.message


async def test_one_that_changed_meanwhile_is_not_replaced(cluster: Cluster) -> None:
    made = await cluster.create(LEASE, "servers", {
        "apiVersion": LEASE.api_version, "kind": "Lease", "metadata": {"name": "l"}, "spec": {"holderIdentity": "a"},
    })  # fmt: skip
    await cluster.replace(LEASE, "servers", {**made, "spec": {"holderIdentity": "b"}})
    with pytest.raises(ClusterSaid) as said:
        await cluster.replace(LEASE, "servers", {**made, "spec": {"holderIdentity": "c"}})
    assert said.value.status == 409
    assert (await cluster.get(LEASE, "servers", "l"))["spec"]["holderIdentity"] == "b"


@pytest.mark.parametrize("fault", [429, 500, 503, 504, 401, "reset", "lost"])
async def test_what_may_go_well_later_is_told_apart(fault: Any, cluster: Cluster, kube: FakeKube) -> None:
    kube.faults.add(fault)
    with pytest.raises(RuntimeAway):
        await cluster.apply(SECRET, "servers", secret())
    await cluster.apply(SECRET, "servers", secret())


async def test_an_api_that_is_gone_is_away(cluster: Cluster, kube: FakeKube) -> None:
    await kube.go_away()
    with pytest.raises(RuntimeAway, match="is away"):
        await cluster.get(DEPLOYMENT, "servers", "d")
    await kube.come_back()
    with pytest.raises(ClusterSaid):
        await cluster.get(DEPLOYMENT, "servers", "d")


async def test_an_api_that_wants_to_be_left_alone_is(cluster: Cluster, kube: FakeKube, clock: MovedClock) -> None:
    kube.faults.add(429, retry_after=30)
    for _ in range(3):
        with pytest.raises(RuntimeAway):
            await cluster.get(DEPLOYMENT, "servers", "d")
    assert len(kube.requests) == 1
    clock.pass_by(31)
    with pytest.raises(ClusterSaid):
        await cluster.get(DEPLOYMENT, "servers", "d")


async def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"^ARCHWAY_KUBECONFIG: "):
        await connected(str(tmp_path / "nothing"))


async def test_outside_of_a_pod_a_kubeconfig_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(BadSetting, match=r"^ARCHWAY_KUBECONFIG: .*outside of the cluster"):
        await connected("")
