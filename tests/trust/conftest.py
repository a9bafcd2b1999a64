"""The rig of tests/proxy for the rows that are proved on a running proxy, and the whole product for others."""

from tests.fixtures_archway import archway  # noqa: F401
from tests.proxy.conftest import (  # noqa: F401
    _session_redis,
    breakable_redis,
    make_rig,
    redis_server,
    rig,
    upstream,
    way,
)
