"""One client of aiohttp's for each policy, and how many there are."""

import pytest

from core.egress.client import Egress, UpstreamFault
from core.egress.held import Held
from core.egress.rules import EgressRules
from proxy.upstream.held_clients import MOST, HeldClients
from tests.fakes.outbound_calls import LOOPBACK, body_of
from tests.fakes.scripted_upstream import ScriptedUpstream, ok

POLICIES = [Held(EgressRules("all"), f"e{number}") for number in range(MOST + 1)]


class Made:
    """Makes clients, and remembers which."""

    def __init__(self) -> None:
        self.of: list[Held] = []

    def __call__(self, held: Held) -> Egress:
        self.of.append(held)
        return Egress(LOOPBACK, held=held)


async def test_a_policy_keeps_its_client_and_another_has_another() -> None:
    clients = HeldClients(made := Made())
    async with clients.client(POLICIES[0]) as first, clients.client(POLICIES[1]) as second:
        assert first is not second
    async with clients.client(Held(EgressRules("all"), "e0")) as again:
        assert again is first
    assert made.of == POLICIES[:2]
    await clients.close()


async def test_for_one_more_than_there_may_be_the_one_goes_that_was_not_used_for_longest() -> None:
    clients = HeldClients(made := Made())
    async with ScriptedUpstream([ok(b"fine")]) as upstream, clients.client(POLICIES[0]) as busy:
        for held in POLICIES[1:MOST]:
            async with clients.client(held) as client:
                assert await body_of(client, upstream.url) == b"fine"
        async with clients.client(POLICIES[MOST]):
            assert await body_of(busy, upstream.url) == b"fine"  # its request is still under way
        async with clients.client(POLICIES[1]):
            assert made.of == [*POLICIES, POLICIES[1]]
        assert clients.opened == MOST
    await clients.close()


async def test_where_all_are_in_use_a_request_of_another_policy_waits_for_none() -> None:
    clients = HeldClients(Made())
    entered = [clients.client(held) for held in POLICIES[:MOST]]
    for one in entered:
        await one.__aenter__()
    with pytest.raises(UpstreamFault) as full:
        async with clients.client(POLICIES[MOST]):
            raise AssertionError("there was room")
    assert (full.value.kind, full.value.sent) == ("pool_full", False)
    for one in entered:
        await one.__aexit__(None, None, None)
    await clients.close()
