"""Clients known by a document of their own come with an assertion before any person has signed in with them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from control.http.listener import listen
from control.oauth.client_authentication import ASSERTION_TYPE
from control.public.app import build_app
from control.public.deps import PublicDeps
from control.public_listener import PARTS
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.identifiers import new_id
from tests.fakes.own_authority import issue
from tests.fakes.scripted_names import ScriptedNames
from tests.fakes.scripted_upstream import ScriptedUpstream, ok
from tests.fixtures_people import ISSUER, People
from tests.oauth.asserting import AssertingCorp
from tests.oauth.flow import Flow

KEY = ec.generate_private_key(ec.SECP256R1())
HOST = "agent.example"


class Published:
    """A client's own document at its website, and the company of which it brings assertions."""

    def __init__(self, corp: AssertingCorp, host: ScriptedUpstream, says: dict[str, Any]) -> None:
        self.corp, self.host, self.says = corp, host, says

    @property
    def client_id(self) -> str:
        return str(self.says["client_id"])

    async def rows(self) -> list[str]:
        found = await self.corp.flow.people.rows("select client_id from oauth_clients where kind = 'document'")
        return [row["client_id"] for row in found]

    def proof(self) -> dict[str, str]:
        """The client's own word for who it is, signed with its key."""
        now = int(time.time())
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": new_id(),
        }  # fmt: skip
        signed = jwt.encode(claims, KEY, algorithm="ES256", headers={"kid": "k1"})
        return {"client_assertion": signed, "client_assertion_type": ASSERTION_TYPE}


@pytest.fixture
async def published(corp: AssertingCorp, public_deps: PublicDeps, tmp_path: Path) -> AsyncIterator[Published]:
    certificate = issue(tmp_path, HOST)
    says: dict[str, Any] = {"client_name": "Agent", "redirect_uris": ["https://agent.example/cb"]}

    def document(_request: bytes) -> list[bytes]:
        return [ok(json.dumps(says).encode(), b"Content-Type: application/json")]

    policy = AddressPolicy(parse_networks("127.0.0.0/8"))
    async with (
        ScriptedUpstream(document, tls=certificate.server) as host,
        Egress(policy, ca_bundle=certificate.pem, resolver=ScriptedNames(["127.0.0.1"])) as egress,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as program,
    ):
        says["client_id"] = f"https://{HOST}:{host.port}/client.json"
        runner, port = await listen(build_app(replace(public_deps, egress=egress), PARTS), "127.0.0.1", 0)
        people = People(corp.flow.pool, f"http://127.0.0.1:{port}", corp.flow.people._ending)
        corp.flow = Flow(people, program, corp.flow.browser)
        yield Published(corp, host, says)
        await runner.cleanup()


async def brought(published: Published, client_id: str, **form: Any) -> Any:
    assertion = published.corp.assertion(client_id=published.client_id, **form.pop("claims", {}))
    return await published.corp.exchange(assertion, client_id=client_id, client_secret=None, **form)


async def test_a_public_client_is_known_from_its_first_assertion_on(published: Published) -> None:
    for _ in range(2):
        answer = await brought(published, published.client_id)
        assert answer.status == 200, answer.body
    assert (await published.rows(), len(published.host.requests)) == ([published.client_id], 1)


async def test_a_client_with_a_key_of_its_own_has_to_prove_that_it_is_the_one(published: Published) -> None:
    jwks = {"keys": [{**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1"}]}
    published.says |= {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}
    assert (await brought(published, published.client_id)).error == "invalid_client"
    answer = await brought(published, None, **published.proof())  # type: ignore[arg-type]  # named by its proof alone
    assert answer.status == 200, answer.body


async def test_nothing_is_fetched_and_nobody_is_kept_without_an_assertion_that_holds(published: Published) -> None:
    of_another = await published.corp.exchange(
        published.corp.assertion(), client_id=published.client_id, client_secret=None
    )
    expired = int(time.time()) - 900
    ended = await brought(published, published.client_id, claims={"iat": expired, "exp": expired + 300})
    nothing = await published.corp.exchange("nonsense", client_id=published.client_id, client_secret=None)
    assert [one.error for one in (of_another, ended, nothing)] == ["invalid_grant"] * 3
    assert (await published.rows(), published.host.requests) == ([], [])
