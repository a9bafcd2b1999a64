"""What the tests of renewals share: a provider that rotates refresh tokens, a database, a replica."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from control.accounts import one_renewal
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import RotatingProvider


@pytest.fixture
async def provider() -> AsyncIterator[RotatingProvider]:
    async with RotatingProvider() as running:
        yield running


@pytest.fixture
async def rig(database: str, provider: RotatingProvider, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Renewing]:
    monkeypatch.setattr(one_renewal, "AGAIN_AFTER_S", 0.01)
    async with Renewing(database, provider) as made:
        yield made
