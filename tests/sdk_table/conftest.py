"""The rig of tests/proxy, and what both SDKs made of every row, found out once."""

from __future__ import annotations

import pytest

from tests.proxy.conftest import _session_redis, make_rig, redis_server, rig, way  # noqa: F401
from tests.sdk_table.sdks import Seen, ask_both


@pytest.fixture(scope="session")
def seen() -> Seen:
    """What became of each row in each SDK: empty where it was taken, else what the SDK said."""
    return ask_both()
