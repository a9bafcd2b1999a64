"""A real Valkey beside the PostgreSQL of the folder above."""

from tests.fixtures_redis import _session_redis, redis_server

__all__ = ["_session_redis", "redis_server"]
