"""What tests of the control plane share: a real PostgreSQL and a real Valkey."""

from tests.fixtures_postgres import database, pool, postgres
from tests.fixtures_redis import _session_redis, breakable_redis, redis_server

__all__ = ["_session_redis", "breakable_redis", "database", "pool", "postgres", "redis_server"]
