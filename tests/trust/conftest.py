"""The rig of tests/proxy for the rows that are proved on a running proxy."""

from tests.proxy.conftest import (  # noqa: F401
    _session_redis,
    breakable_redis,
    make_rig,
    redis_server,
    rig,
    upstream,
    way,
)
