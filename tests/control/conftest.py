"""What tests of the control plane share: a real PostgreSQL, a real Valkey, the admin API over them."""

from tests.control.asking_proxy import proxy
from tests.control.corp_callers import corp_callers
from tests.control.corp_sign_in import corp
from tests.fixtures_admin import admin, deps, probing_proxy, proxy_ring, secret_ring
from tests.fixtures_idp import idp, idp_issuer, upstream_idp, upstream_issuer
from tests.fixtures_people import people, public_deps
from tests.fixtures_postgres import database, pool, postgres
from tests.fixtures_redis import _session_redis, breakable_redis, redis_server
from tests.fixtures_upstream_accounts import hosted

__all__ = [
    "_session_redis",
    "admin",
    "breakable_redis",
    "corp",
    "corp_callers",
    "database",
    "deps",
    "hosted",
    "idp",
    "idp_issuer",
    "people",
    "pool",
    "postgres",
    "probing_proxy",
    "proxy",
    "proxy_ring",
    "public_deps",
    "redis_server",
    "secret_ring",
    "upstream_idp",
    "upstream_issuer",
]
