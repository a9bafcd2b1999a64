"""What the trial with Keycloak stands on: the same real servers as the tests of the control plane."""

from tests.control.asking_proxy import proxy
from tests.fixtures_people import people, public_deps
from tests.fixtures_postgres import database, pool, postgres
from tests.fixtures_redis import _session_redis, redis_server

__all__ = ["_session_redis", "database", "people", "pool", "postgres", "proxy", "public_deps", "redis_server"]
