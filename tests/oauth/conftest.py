"""What tests of the authorization server share: the listener for people over real servers, a client, a person."""

from tests.fixtures_people import people, public_deps
from tests.fixtures_postgres import database, pool, postgres
from tests.fixtures_redis import _session_redis, breakable_redis, redis_server
from tests.oauth.asserting import corp
from tests.oauth.flow import flow

__all__ = [
    "_session_redis",
    "breakable_redis",
    "corp",
    "database",
    "flow",
    "people",
    "pool",
    "postgres",
    "public_deps",
    "redis_server",
]
