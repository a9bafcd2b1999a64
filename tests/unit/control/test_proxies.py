import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from control.discovery.probe_client import PATH
from control.proxies import Proxies, ProxyAway
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.keys import KeyRing, new_key, parse_key_ring
from core.probes import Probe, ProbeQuestion
from core.resolve import ResolvedInstallation
from tests.fakes.probing_proxy import ProbingProxy

INSTALLATION = ResolvedInstallation("i", "e", "time", "organisation", "remote", "https://time.example/mcp", 1)


@pytest.fixture
def ring() -> KeyRing:
    return parse_key_ring("ARCHWAY_PROXY_KEY", new_key())


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress(AddressPolicy(parse_networks("127.0.0.0/8"))) as client:
        yield client


@pytest.fixture
async def proxy(ring: KeyRing) -> AsyncIterator[ProbingProxy]:
    async with ProbingProxy(ring) as running:
        running.offers("echo")
        yield running


class Client:
    """Asks one thing of the proxies at these addresses."""

    def __init__(self, egress: Egress, ring: KeyRing, *addresses: str) -> None:
        self._proxies = Proxies(egress, addresses, InternalCalls(ring, caller="control", answerer="proxy"))

    async def probe(self, installation: ResolvedInstallation, deadline: float = 20.0, path: str = PATH) -> Probe:
        return await self._proxies.ask(
            path, ProbeQuestion(installation), Probe, deadline=deadline, again="do it again"
        )


def dead_address() -> str:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


async def test_a_question_is_put_to_the_proxy_and_its_answer_opened(
    egress: Egress, ring: KeyRing, proxy: ProbingProxy
) -> None:
    probe = await Client(egress, ring, proxy.url).probe(INSTALLATION)
    assert [tool["name"] for tool in probe.tools] == ["echo"]
    assert proxy.questions[0].installation == INSTALLATION


async def test_a_dead_proxy_is_passed_over(egress: Egress, ring: KeyRing, proxy: ProbingProxy) -> None:
    probe = await Client(egress, ring, dead_address(), proxy.url).probe(INSTALLATION)
    assert probe.era == "legacy"


async def test_without_any_proxy_there_is_no_answer(egress: Egress, ring: KeyRing) -> None:
    with pytest.raises(ProxyAway):
        await Client(egress, ring, dead_address()).probe(INSTALLATION)
    with pytest.raises(ProxyAway):
        await Client(egress, ring).probe(INSTALLATION)


async def test_a_proxy_that_does_not_answer_in_time_ends_the_question(
    egress: Egress, ring: KeyRing, proxy: ProbingProxy
) -> None:
    proxy.hold = asyncio.Event()
    with pytest.raises(ProxyAway):
        await Client(egress, ring, proxy.url, proxy.url).probe(INSTALLATION, deadline=0.1)
    assert len(proxy.questions) == 1


async def test_an_answer_sealed_with_another_key_is_not_believed(egress: Egress, proxy: ProbingProxy) -> None:
    stranger = parse_key_ring("ARCHWAY_PROXY_KEY", new_key())
    with pytest.raises(ProxyAway):
        await Client(egress, stranger, proxy.url).probe(INSTALLATION)
    assert proxy.refused == 1
    assert proxy.questions == []


@pytest.mark.parametrize(("ahead", "words"), [(100, "behind"), (-100, "ahead of")])
async def test_a_proxy_that_refuses_for_the_clock_is_named_with_the_difference(
    egress: Egress, ring: KeyRing, proxy: ProbingProxy, ahead: float, words: str
) -> None:
    proxy.clock_ahead = ahead
    with pytest.raises(ProxyAway) as differs:
        await Client(egress, ring, proxy.url, dead_address()).probe(INSTALLATION)
    assert words in str(differs.value)
    assert "clock" in str(differs.value)
    assert proxy.url in str(differs.value)


async def test_another_proxy_is_asked_where_one_refuses_for_the_clock(
    egress: Egress, ring: KeyRing, proxy: ProbingProxy
) -> None:
    async with ProbingProxy(ring) as off:
        off.clock_ahead = 100
        assert await Client(egress, ring, off.url, proxy.url).probe(INSTALLATION) == proxy.answer


async def test_a_proxy_that_does_not_know_the_question_is_said_to_be_old(
    egress: Egress, ring: KeyRing, proxy: ProbingProxy
) -> None:
    with pytest.raises(ProxyAway, match="of a version that does not know this question; update it, then do it again"):
        await Client(egress, ring, proxy.url).probe(INSTALLATION, path="/internal/not-yet")
