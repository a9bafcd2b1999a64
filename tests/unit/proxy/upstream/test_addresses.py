"""Which servers may be where others may not: those alone that control's own runtimes run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.egress.addresses import AddressPolicy
from core.egress.faults import UpstreamFault
from core.snapshot import RouteKind
from proxy.upstream.addresses import address_of
from proxy.upstream.transport import Transport, open_transport
from tests.fakes.call_parts import installation
from tests.fakes.outbound_calls import CAP
from tests.fakes.scripted_upstream import ScriptedUpstream, ok


@pytest.fixture(params=["our pool", "aiohttp's client", "a proxy between"])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    """One that may reach public addresses alone, as an operator's who opened none."""
    between = "http://127.0.0.1:1" if request.param == "a proxy between" else None
    made = open_transport(AddressPolicy(), proxy=between, pool=request.param == "our pool")
    yield made
    await made.close()


async def answer(transport: Transport, url: str, kind: RouteKind) -> bytes:
    address = address_of(installation(url, kind=kind))
    async with transport.request("POST", address, {}, b"{}", deadline=10.0) as response:
        return await response.read_capped(CAP)


@pytest.mark.parametrize("kind", ["process", "cluster"])
async def test_a_server_that_archway_runs_is_reached_on_loopback(transport: Transport, kind: RouteKind) -> None:
    async with ScriptedUpstream([ok(b"fine")]) as upstream:
        assert await answer(transport, f"{upstream.url}/mcp", kind) == b"fine"


async def test_a_remote_server_is_not_even_where_one_of_ours_was_reached_before(transport: Transport) -> None:
    async with ScriptedUpstream([ok(b"fine"), ok(b"stolen")]) as upstream:
        url = f"{upstream.url}/mcp"
        assert await answer(transport, url, "process") == b"fine"
        with pytest.raises(UpstreamFault) as refused:
            await answer(transport, url, "remote")
        assert (refused.value.reason, refused.value.sent) == ("forbidden_address", False)
        assert len(upstream.requests) == 1


async def test_a_head_of_a_remote_server_is_sent_over_no_connection_to_ours() -> None:
    pool = open_transport(AddressPolicy())
    async with ScriptedUpstream([ok(b"fine"), ok(b"stolen")]) as upstream:
        url = f"{upstream.url}/mcp"
        assert await answer(pool, url, "process") == b"fine"
        theirs = pool.prepare("POST", address_of(installation(url)), {})
        assert theirs is not None
        assert pool.send_now(theirs, {}, b"{}") is None
        assert pool.way(theirs, {}) is None
        ours = pool.prepare("POST", address_of(installation(url, kind="process")), {})
        assert ours is not None
        assert pool.way(ours, {}) is not None
    await pool.close()


async def test_metadata_services_are_shut_for_ours_too(transport: Transport) -> None:
    with pytest.raises(UpstreamFault) as refused:
        await answer(transport, "http://169.254.169.254/mcp", "cluster")
    assert refused.value.reason == "forbidden_address"
