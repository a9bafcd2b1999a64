"""Remote servers are held to their environment's policy wherever a proxy connects to them: on loopback, of which
127.0.0.1 is allowed and 127.0.0.2 is not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from core.egress.client import UpstreamFault, tls_context
from core.egress.rules import Allowed, EgressRules
from core.resolve import ResolvedInstallation
from proxy.upstream.addresses import address_of
from proxy.upstream.pool.pool import UpstreamPool
from proxy.upstream.transport import Transport, open_transport
from tests.fakes.call_parts import installation
from tests.fakes.outbound_calls import CAP, LOOPBACK
from tests.fakes.scripted_names import ScriptedNames
from tests.fakes.scripted_upstream import ScriptedUpstream, ok

POOL, CLIENT, BETWEEN = "our pool", "aiohttp's client", "a proxy between"
ALLOWED, DENIED = "127.0.0.1", "127.0.0.2"
ALL_PORTS: Final = ("1-65535",)
NETWORK = EgressRules("restricted", (Allowed((f"{ALLOWED}/32",), ports=ALL_PORTS),))
DOMAIN = EgressRules("restricted", (Allowed(domains=("**.good.test",), ports=ALL_PORTS),))
OFF = EgressRules("off")


@asynccontextmanager
async def transport(kind: str, *answers: list[str], proxy: str = "") -> AsyncIterator[Transport]:
    """One that may reach all of loopback, with these answers to questions for names."""
    names = ScriptedNames(*answers)
    made = open_transport(LOOPBACK, proxy=proxy or None, pool=kind == POOL, resolver=names)
    yield made
    await made.close()


def server(url: str, egress: EgressRules, environment: str = "production") -> ResolvedInstallation:
    return installation(url, egress=egress, environment=environment)


async def answer(way: Transport, url: str, egress: EgressRules, environment: str = "production") -> bytes:
    address = address_of(server(url, egress, environment))
    async with way.request("POST", address, {}, b"{}", deadline=10.0) as response:
        return await response.read_capped(CAP)


async def refused(way: Transport, url: str, egress: EgressRules) -> str:
    with pytest.raises(UpstreamFault) as fault:
        await answer(way, url, egress)
    assert (fault.value.reason, fault.value.sent) == ("egress", False), fault.value.detail
    return fault.value.detail


@pytest.mark.parametrize("kind", [POOL, CLIENT])
async def test_an_address_is_reached_where_a_network_has_it(kind: str) -> None:
    async with (
        ScriptedUpstream([ok(b"fine")]) as good,
        ScriptedUpstream([ok(b"stolen")], host=DENIED) as bad,
        transport(kind, [ALLOWED], [DENIED]) as way,
    ):
        assert await answer(way, f"{good.url}/mcp", NETWORK) == b"fine"
        assert await answer(way, f"http://a.test:{good.port}/mcp", NETWORK) == b"fine"
        assert "does not allow it" in await refused(way, f"{bad.url}/mcp", NETWORK)
        assert f"the address {DENIED}" in await refused(way, f"http://b.test:{bad.port}/mcp", NETWORK)
        assert bad.connections == 0


@pytest.mark.parametrize("kind", [POOL, CLIENT])
async def test_a_name_that_is_allowed_leads_wherever_the_deployment_may_connect(kind: str) -> None:
    async with ScriptedUpstream([ok(b"fine")], host=DENIED) as there, transport(kind, [DENIED]) as way:
        assert await answer(way, f"http://a.good.test:{there.port}/mcp", DOMAIN) == b"fine"
        assert "does not allow it" in await refused(way, f"http://good.test:{there.port}/mcp", DOMAIN)
        with pytest.raises(UpstreamFault) as shut:
            await answer(way, "http://169.254.169.254/mcp", EgressRules("restricted", (Allowed(("0.0.0.0/0",)),)))
        assert shut.value.reason in {"egress", "forbidden_address"}


@pytest.mark.parametrize("kind", [POOL, CLIENT])
async def test_off_refuses_all_and_another_port_is_refused(kind: str) -> None:
    async with ScriptedUpstream([ok(b"stolen")]) as there, transport(kind, [ALLOWED]) as way:
        await refused(way, f"{there.url}/mcp", OFF)
        await refused(way, f"http://a.test:{there.port}/mcp", OFF)
        await refused(way, f"{there.url}/mcp", EgressRules("restricted", (Allowed((f"{ALLOWED}/32",)),)))
        assert there.connections == 0


@pytest.mark.parametrize("kind", [POOL, CLIENT])
async def test_of_several_addresses_the_allowed_one_is_connected_to(kind: str) -> None:
    async with (
        ScriptedUpstream([ok(b"fine")]) as good,
        ScriptedUpstream([ok(b"stolen")], host=DENIED, port=good.port) as bad,
        transport(kind, [DENIED, ALLOWED]) as way,
    ):
        assert await answer(way, f"http://a.test:{good.port}/mcp", NETWORK) == b"fine"
        assert bad.connections == 0


@pytest.mark.parametrize("kind", [POOL, CLIENT])
async def test_a_connection_of_one_policy_serves_no_other_and_none_after_a_change(kind: str) -> None:
    async with ScriptedUpstream([ok(b"fine")]) as there, transport(kind, [ALLOWED]) as way:
        url = f"http://a.good.test:{there.port}/mcp"
        for egress, environment in [(NETWORK, "one"), (NETWORK, "one"), (NETWORK, "two"), (DOMAIN, "one")]:
            assert await answer(way, url, egress, environment) == b"fine"
        assert await answer(way, url, EgressRules()) == b"fine"
        assert there.connections == 4
        await refused(way, url, OFF)  # while all of these lie idle


async def test_a_name_that_leads_elsewhere_is_judged_again_at_the_next_connect() -> None:
    async with (
        ScriptedUpstream([ok(b"fine", b"Connection: close")]) as good,
        ScriptedUpstream([ok(b"stolen")], host=DENIED, port=good.port) as bad,
    ):
        names = ScriptedNames([ALLOWED], [DENIED])
        way = UpstreamPool(LOOPBACK, tls_context(None), resolver=names, name_seconds=0)
        url = f"http://a.test:{good.port}/mcp"
        assert await answer(way, url, NETWORK) == b"fine"
        assert f"the address {DENIED}" in await refused(way, url, NETWORK)
        assert bad.connections == 0
        await way.close()


async def test_a_head_of_another_policy_is_sent_over_no_connection_of_this_one() -> None:
    async with ScriptedUpstream([ok(b"fine")]) as there, transport(POOL) as way:
        url = f"{there.url}/mcp"
        assert await answer(way, url, NETWORK) == b"fine"
        for egress, is_there in [(NETWORK, True), (OFF, False), (EgressRules(), False)]:
            head = way.prepare("POST", address_of(server(url, egress)), {})
            assert head is not None
            assert (way.way(head, {}) is not None) is is_there
        head = way.prepare("POST", address_of(server(url, OFF)), {})
        assert head is not None
        assert way.send_now(head, {}, b"{}") is None


async def test_through_a_proxy_names_and_literal_addresses_alone_are_judged() -> None:
    async with (
        ScriptedUpstream([ok(b"fine")]) as between,
        transport(BETWEEN, proxy=f"http://127.0.0.1:{between.port}") as way,
    ):
        assert await answer(way, "http://a.good.test/mcp", DOMAIN) == b"fine"
        assert await answer(way, "http://127.0.0.1/mcp", NETWORK) == b"fine"
        assert "does not allow it" in await refused(way, "http://other.test/mcp", DOMAIN)
        assert "does not allow it" in await refused(way, "http://127.0.0.2/mcp", NETWORK)
        assert "behind HTTPS_PROXY" in await refused(way, "http://a.good.test/mcp", NETWORK)
        assert len(between.requests) == 2


async def test_a_server_that_archway_runs_is_held_by_whatever_runs_it() -> None:
    async with ScriptedUpstream([ok(b"fine")]) as there, transport(POOL) as way:
        ours = installation(f"{there.url}/mcp", kind="process", egress=OFF)
        async with way.request("POST", address_of(ours), {}, b"{}", deadline=10.0) as response:
            assert await response.read_capped(CAP) == b"fine"


def test_the_url_of_an_installation_is_made_once() -> None:
    one = server("http://a.test/mcp", DOMAIN)
    assert address_of(one) is address_of(one)
    assert address_of(installation("http://a.test/mcp")) == "http://a.test/mcp"
