from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kube.fake_server import FakeKube
from tests.kube.passing import Counted, Passing, UnderWay
from tests.kube.platform import Platform, RowsInMemory, platform
from tests.plugins.moved_clock import MovedClock


@pytest.fixture
async def kube() -> AsyncIterator[FakeKube]:
    async with FakeKube() as fake:
        yield fake


@pytest.fixture
def under_way() -> UnderWay:
    return UnderWay()


@pytest.fixture
def rows() -> RowsInMemory:
    return RowsInMemory()


@pytest.fixture
async def one(kube: FakeKube, rows: RowsInMemory, tmp_path: Path, under_way: UnderWay) -> AsyncIterator[Platform]:
    async with platform(kube, rows, tmp_path, under_way) as made:
        yield made


@pytest.fixture
def cluster(one: Platform) -> Counted:
    return one.cluster


@pytest.fixture
def passing(clock: MovedClock, under_way: UnderWay) -> Passing:
    return Passing(clock, under_way)
