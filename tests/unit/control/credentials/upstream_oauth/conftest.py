"""A server that answers as a test says, and what asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from control.providers.asking import Asker
from tests.fakes.answering import Answering, loopback_asker


@pytest.fixture
async def server() -> AsyncIterator[Answering]:
    async with Answering() as running:
        yield running


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with loopback_asker() as made:
        yield made
