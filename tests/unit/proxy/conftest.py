"""Parts of a worker for the unit tests of the proxy."""

from collections.abc import AsyncIterator

import pytest

from proxy.deps import Deps
from tests.fakes.proxy_parts import proxy_parts


@pytest.fixture
async def deps() -> AsyncIterator[Deps]:
    """With usual settings; Redis and control are away."""
    async with proxy_parts() as parts:
        yield parts
