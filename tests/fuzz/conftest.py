"""Redis for the two lanes."""

from tests.proxy.conftest import _session_redis, redis_server  # noqa: F401
