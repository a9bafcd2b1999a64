"""Short calls through `core.egress.client.Egress` for tests: one POST, its body, or the fault that it ended in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from core.egress.addresses import AddressPolicy, PublicUrl, parse_networks
from core.egress.client import Egress, UpstreamFault, read_capped

LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))
CAP = 256 * 1024


@asynccontextmanager
async def post(
    egress: Egress,
    url: str,
    headers: dict[str, str] | None = None,
    deadline: float = 30.0,
    silence: float | None = None,
) -> AsyncIterator[aiohttp.ClientResponse]:
    async with egress.request(
        "POST", PublicUrl(url + "/mcp"), headers, b"{}", deadline=deadline, silence=silence
    ) as response:
        yield response


async def body_of(egress: Egress, url: str, deadline: float = 30.0, silence: float | None = None) -> bytes:
    async with post(egress, url, deadline=deadline, silence=silence) as response:
        return await read_capped(response, CAP)


async def fault_of(egress: Egress, url: str, deadline: float = 30.0, silence: float | None = None) -> UpstreamFault:
    with pytest.raises(UpstreamFault) as caught:
        await body_of(egress, url, deadline, silence)
    return caught.value
