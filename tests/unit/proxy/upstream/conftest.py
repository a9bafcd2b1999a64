"""Both transports, one after the other, for what holds of either."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.upstream.transport import Transport, open_transport
from tests.fakes.outbound_calls import LOOPBACK


@pytest.fixture(params=[True, False], ids=["our pool", "aiohttp's client"])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    made = open_transport(LOOPBACK, pool=request.param)
    yield made
    await made.close()
