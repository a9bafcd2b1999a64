"""What journeys share: the pages, served over real servers, and a browser."""

from tests.console.conftest import _session_redis, console, database, pool, postgres, redis_server
from tests.fixtures_archway import archway
from tests.fixtures_browser import browser, visits
from tests.fixtures_idp import idp, idp_issuer, upstream_idp, upstream_issuer
from tests.fixtures_own_documents import own_documents
from tests.fixtures_upstreams import time_server
from tests.journeys.real_sign_in import desk, person

__all__ = [
    "_session_redis",
    "archway",
    "browser",
    "console",
    "database",
    "desk",
    "idp",
    "idp_issuer",
    "own_documents",
    "person",
    "pool",
    "postgres",
    "redis_server",
    "time_server",
    "upstream_idp",
    "upstream_issuer",
    "visits",
]
