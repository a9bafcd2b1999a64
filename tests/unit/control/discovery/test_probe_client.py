from collections.abc import AsyncIterator

import pytest

from control.discovery.probe_client import ProbeClient
from control.proxies import Proxies
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.keys import KeyRing, new_key, parse_key_ring
from core.resolve import ResolvedInstallation
from tests.fakes.probing_proxy import ProbingProxy

INSTALLATION = ResolvedInstallation("i", "e", "time", "organisation", "remote", "https://time.example/mcp", 1)


@pytest.fixture
def ring() -> KeyRing:
    return parse_key_ring("ARCHWAY_PROXY_KEY", new_key())


@pytest.fixture
async def client(ring: KeyRing, proxy: ProbingProxy) -> AsyncIterator[ProbeClient]:
    async with Egress(AddressPolicy(parse_networks("127.0.0.0/8"))) as egress:
        yield ProbeClient(Proxies(egress, [proxy.url], InternalCalls(ring, caller="control", answerer="proxy")))


@pytest.fixture
async def proxy(ring: KeyRing) -> AsyncIterator[ProbingProxy]:
    async with ProbingProxy(ring) as running:
        running.offers("echo")
        yield running


async def test_the_installation_is_put_to_the_proxy_and_its_answer_opened(
    client: ProbeClient, proxy: ProbingProxy
) -> None:
    probe = await client.probe(INSTALLATION)
    assert [tool["name"] for tool in probe.tools] == ["echo"]
    assert proxy.questions[0].installation == INSTALLATION


async def test_a_look_asks_for_no_lists(client: ProbeClient, proxy: ProbingProxy) -> None:
    await client.look(INSTALLATION)
    assert (proxy.questions[0].look, proxy.questions[0].lists) == (True, False)
