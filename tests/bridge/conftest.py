"""Bridges with the server that does what it is told."""

import pytest
import pytest_asyncio

from tests.fakes.bridged import Bridge, child


@pytest.fixture
async def legacy(tmp_path):
    async with Bridge(child("legacy"), tmp_path) as bridge:
        yield await bridge.ready()


@pytest.fixture
async def modern(tmp_path):
    async with Bridge(child("modern"), tmp_path) as bridge:
        yield await bridge.ready()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory):
    """One for all tests of a file, none of which may break it or open a session."""
    async with Bridge(child("legacy"), tmp_path_factory.mktemp("bridge")) as bridge:
        yield await bridge.ready()
