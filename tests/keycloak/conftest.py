"""What the trial with Keycloak stands on: the same real servers as the tests of the control plane."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from jwt.algorithms import ECAlgorithm

from archway.admin_client import AdminApi
from tests.control.asking_proxy import proxy
from tests.docs.conftest import Deployment, deployment
from tests.fakes.keycloak import running
from tests.fakes.keycloak_tools import ToolsRealm
from tests.fixtures_people import people, public_deps
from tests.fixtures_postgres import database, pool, postgres
from tests.fixtures_redis import _session_redis, redis_server
from tests.keycloak.notes import Notes

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


@pytest.fixture(scope="session")
def signers_key() -> EllipticCurvePrivateKey:
    """With which the realm's client `signer` proves itself."""
    return generate_private_key(SECP256R1())


@pytest.fixture
async def notes(
    keycloak_url: str,
    deployment: Deployment,
    signers_key: EllipticCurvePrivateKey,
    tmp_path: Path,
) -> AsyncIterator[Notes]:
    """The server behind its realm, and nothing of it at Archway yet."""
    here = deployment.file
    async with AsyncExitStack() as ending:
        http = await ending.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        realm = ToolsRealm(keycloak_url, http)
        api = AdminApi(here["control_url"], here["admin_token"])
        made = Notes(realm, api, here["proxy_url"], http, tmp_path, ending)
        jwk = ECAlgorithm.to_jwk(signers_key.public_key(), as_dict=True)
        await realm.set_up(made.url, made.callback, {**jwk, "use": "sig"})
        made.serve("notes:read")
        ending.callback(made.stop)
        yield made
    deployment.clear()
