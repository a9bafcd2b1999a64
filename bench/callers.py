"""Thousands of callers of one gateway of a deployment, by the three ways of authenticating that there are.

    with callers(running, 10_000) as by_way:      # made in its database, a third of them by each way
        by_way.tokens["oauth"]; by_way.target

A third have an `arch_` token, a third an access token of ours with the grant behind it, and a third a provider's own
token of 2.5 KiB, whose keys control fetches from `bench/issuer.py`.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from bench.credentials import AUDIENCE, LENGTHS, Signing
from bench.deployment import Deployment
from bench.oauth_refreshes import registered
from bench.orders import Target
from bench.people import People, email_of
from bench.processes import environment_of, server
from control.registry.resources import canonical_resource
from core.keys import parse_key_ring

WAYS: Final = ("static", "oauth", "long_jwt")
SLUG: Final = "ways"


@dataclass(frozen=True, slots=True)
class ByWay:
    """What the callers show, by way, and the tool that they call."""

    tokens: dict[str, list[str]]
    target: Target

    @property
    def mixed(self) -> list[str]:
        """All of them, each way in turn."""
        return [token for three in zip(*self.tokens.values(), strict=True) for token in three]


@contextmanager
def callers(running: Deployment, count: int) -> Iterator[ByWay]:
    """So many, as long as the block lasts."""
    control = environment_of(running.behind["control"][0])
    issuer = running.proxy_environment["ARCHWAY_PUBLIC_URL"].rstrip("/")
    ring = parse_key_ring("ARCHWAY_SIGNING_KEY", control["ARCHWAY_SIGNING_KEY"])
    signing = Signing(ring, issuer, "")
    with server("bench.issuer", "0", json.dumps(signing.provider_jwk)) as (_, port):
        signing.provider_issuer = f"http://127.0.0.1:{port}"
        began = time.monotonic()
        provider_id, target = _opened(running, signing.provider_issuer)
        made = _made(running, control["ARCHWAY_DATABASE_URL"], signing, provider_id, target, count // len(WAYS))
        yield ByWay(asyncio.run(made), target)
        running.made_s["callers by three ways"] = time.monotonic() - began


def _opened(running: Deployment, issuer: str) -> tuple[str, Target]:
    """The provider, and a gateway that takes its tokens too."""
    body = {"slug": SLUG, "name": SLUG, "issuer": issuer, "sign_in": False, "audiences": [AUDIENCE]}
    provider = running.api.post("/identity-providers", body)
    naming = {"identity_provider_id": provider["id"], "identity_provider_audience": AUDIENCE}
    return str(provider["id"]), running.gateway_of_ways(SLUG, naming)


async def _made(
    running: Deployment, database: str, signing: Signing, provider_id: str, target: Target, each: int
) -> dict[str, list[str]]:
    client_id = await registered(running.proxy_environment["ARCHWAY_CONTROL_PUBLIC_URL"])
    resource = canonical_resource(signing.own.issuer, target.path.rpartition("/")[2])
    connection: asyncpg.Connection[Any] = await asyncpg.connect(database)
    try:
        static = await (await People.made(connection, each)).static_tokens()
        client_pk = await connection.fetchval("select id from oauth_clients where client_id = $1", client_id)
        grants = await (await People.made(connection, each)).grants(client_pk, running.gateway_id(target))
        subjects = await (await People.made(connection, each)).identities(provider_id, signing.provider_issuer)
    finally:
        await connection.close()
    length = LENGTHS[WAYS[2]]
    return {
        "static": static,
        "oauth": [
            signing.access_token(one.user_id, resource, grant_id=one.id, client_id=client_id) for one in grants
        ],
        "long_jwt": [signing.provider_token(one, email_of(one), length) for one in subjects],
    }
