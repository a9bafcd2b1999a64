from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from control.orchestrator.cluster import Cluster
from control.orchestrator.kinds import LEASE
from control.orchestrator.lease import GIVE_UP_S, LASTS_S, RENEW_S, Lease
from tests.kube.fake_server import FakeKube
from tests.kube.passing import Passing, running


class Replica:
    """One side of the lease, and whether it works now."""

    def __init__(self, cluster: Cluster, holder: str) -> None:
        self._lease = Lease(cluster, "servers", "archway", holder)
        self.works, self.began = False, 0

    async def run(self) -> None:
        await self._lease.lead(self._work)

    async def _work(self) -> None:
        self.works, self.began = True, self.began + 1
        try:
            await asyncio.Event().wait()
        finally:
            self.works = False


def holder(kube: FakeKube) -> str:
    found = kube.thing("leases", "servers", "archway")
    return found["spec"]["holderIdentity"] if found else ""


async def test_one_of_two_replicas_leads_and_goes_on_leading(
    cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    one, other = Replica(cluster, "one"), Replica(cluster, "other")
    async with running(one.run()):
        await passing.until(lambda: one.works)
        async with running(other.run()):
            await passing.seconds(6 * LASTS_S)
            assert (one.works, other.works, one.began) == (True, False, 1)
            assert holder(kube) == "one"


async def test_one_that_ends_gives_it_back_and_the_other_begins(
    cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    one, other = Replica(cluster, "one"), Replica(cluster, "other")
    async with AsyncExitStack() as ending:
        async with running(one.run()):
            await passing.until(lambda: one.works)
            await ending.enter_async_context(running(other.run()))
        assert holder(kube) == ""
        assert await passing.until(lambda: other.works, by=0.5) <= 2 * RENEW_S
        assert not one.works


async def test_one_that_is_killed_is_followed_when_its_lease_has_lasted(
    cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    dead = {"holderIdentity": "dead", "leaseDurationSeconds": LASTS_S, "renewTime": "2026-11-29T13:00:00.000000Z"}
    made = {"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": {"name": "archway"}, "spec": dead}
    await cluster.create(LEASE, "servers", made)
    other = Replica(cluster, "other")
    async with running(other.run()):
        await passing.seconds(LASTS_S - RENEW_S)
        assert not other.works
        assert await passing.until(lambda: other.works, by=0.5) <= 3 * RENEW_S
    assert kube.thing("leases", "servers", "archway")["spec"]["leaseTransitions"] == 1


async def test_a_holder_whose_clock_is_wrong_by_a_day_is_believed_while_it_renews(
    cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    record = {"holderIdentity": "slow clock", "leaseDurationSeconds": LASTS_S}
    made = {"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": {"name": "archway"}}
    held = await cluster.create(LEASE, "servers", {**made, "spec": record})
    other = Replica(cluster, "other")
    async with running(other.run()):
        for number in range(10):
            spec = {**record, "renewTime": f"2026-11-28T13:00:0{number}.000000Z"}  # yesterday
            held = await cluster.replace(LEASE, "servers", {**held, "spec": spec})
            await passing.seconds(RENEW_S)
            assert not other.works
        await passing.until(lambda: other.works, by=0.5)


async def test_a_holder_whose_clock_is_a_day_ahead_is_followed_when_it_is_silent(
    cluster: Cluster, passing: Passing
) -> None:
    spec = {
        "holderIdentity": "fast clock",
        "leaseDurationSeconds": LASTS_S,
        "renewTime": "2026-11-30T13:00:00.000000Z",
    }
    made = {"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": {"name": "archway"}, "spec": spec}
    await cluster.create(LEASE, "servers", made)
    other = Replica(cluster, "other")
    async with running(other.run()):
        assert await passing.until(lambda: other.works, by=0.5) <= LASTS_S + 3 * RENEW_S


async def test_work_ends_before_the_lease_may_be_anothers(cluster: Cluster, kube: FakeKube, passing: Passing) -> None:
    one = Replica(cluster, "one")
    async with running(one.run()):
        await passing.until(lambda: one.works)
        kube.faults.add(500, times=1_000, path="/leases")
        assert await passing.until(lambda: not one.works, by=0.5) <= GIVE_UP_S + 2 < LASTS_S
        kube.faults.to_come.clear()
        await passing.until(lambda: one.works, by=0.5)


async def test_a_renewal_whose_answer_was_lost_loses_no_lease(
    cluster: Cluster, kube: FakeKube, passing: Passing
) -> None:
    one = Replica(cluster, "one")
    async with running(one.run()):
        await passing.until(lambda: one.works)
        kube.faults.add("lost", method="PUT", path="/leases")
        await passing.seconds(4 * RENEW_S)
        assert (one.works, one.began) == (True, 1)


async def test_a_lease_that_is_taken_away_ends_the_work(cluster: Cluster, kube: FakeKube, passing: Passing) -> None:
    one = Replica(cluster, "one")
    async with running(one.run()):
        await passing.until(lambda: one.works)
        held = await cluster.get(LEASE, "servers", "archway")
        await cluster.replace(LEASE, "servers", {**held, "spec": {**held["spec"], "holderIdentity": "other"}})
        assert await passing.until(lambda: not one.works, by=0.5) <= 2 * RENEW_S


async def test_a_lease_that_was_deleted_is_made_again(cluster: Cluster, kube: FakeKube, passing: Passing) -> None:
    one = Replica(cluster, "one")
    async with running(one.run()):
        await passing.until(lambda: one.works)
        kube.remove("leases", "servers", "archway")
        await passing.until(lambda: holder(kube) == "one", by=0.5)
        await passing.until(lambda: one.works, by=0.5)
