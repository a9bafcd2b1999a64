"""What the trial with Keycloak stands on: the same real servers as the tests of the control plane."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.asking_proxy import proxy
from tests.docs.conftest import deployment
from tests.fakes.keycloak import running
from tests.fixtures_people import people, public_deps
from tests.fixtures_postgres import database, pool, postgres
from tests.fixtures_redis import _session_redis, redis_server

__all__ = [
    "_session_redis",
    "database",
    "deployment",
    "people",
    "pool",
    "postgres",
    "proxy",
    "public_deps",
    "redis_server",
]


@pytest.fixture(scope="session")
def keycloak_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Keycloak for the whole run; each test makes its realm again."""
    data: Path = tmp_path_factory.mktemp("keycloak")
    with running(data) as url:
        yield url
