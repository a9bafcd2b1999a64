"""What the tests of kept sign-ins share: a provider that rotates refresh tokens, a database, a replica."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fakes.kept_sign_ins import KeptSignIns
from tests.fakes.rotating_provider import RotatingProvider


@pytest.fixture
async def provider() -> AsyncIterator[RotatingProvider]:
    async with RotatingProvider(grace_s=0, life_s=3_600) as running:
        yield running


@pytest.fixture
async def rig(database: str, provider: RotatingProvider) -> AsyncIterator[KeptSignIns]:
    async with KeptSignIns(database, provider) as made:
        yield made
