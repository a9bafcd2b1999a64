"""Tokens of clients that were made by hand are given back when they go: of an installation's, and of an entry's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from control.accounts.revocations import Revocations
from control.admin.deps import Deps
from control.changes import accounts as account_changes
from control.changes import entries, installations
from control.changes.write import changing
from control.credentials.places import account_place
from control.registry.account import AccountTokens, NewAccount
from control.registry.credential import OAuthCredential
from control.registry.fields import Field
from control.store import accounts
from control.store import installations as stored
from control.store.pool import transaction
from tests.control.registry_api import Api, api
from tests.fakes.registry import a_wanted_entry
from tests.fakes.rotating_provider import CLIENT, SECRET, RotatingProvider
from tests.fixtures_people import NOBODY

__all__ = ["api"]


@pytest.fixture
async def provider() -> AsyncIterator[RotatingProvider]:
    async with RotatingProvider() as running:
        running.metadata["revocation_endpoint"] = f"{running.url}/revoke"
        yield running


@pytest.fixture
def revocations(deps: Deps) -> Revocations:
    return Revocations(deps.pool, deps.upstream.asker, deps.safeguards.seals)


async def client_of(api: Api, provider: RotatingProvider, secret: str = SECRET, **placement: Any) -> dict[str, Any]:
    """An installation that got a token for its own client."""
    entry = await api.entry(
        slug="crm", url=f"{provider.url}/mcp", credential_model="client_credentials",
        credential_placement={"issuer": provider.url, **placement},
    )  # fmt: skip
    made = await api.install(entry, values={"client_id": CLIENT}, credential=secret)
    assert made["state"] == "ready", made["state_reason"]
    return made


async def token_of(deps: Deps, installation_id: str) -> str:
    async with transaction(deps.pool, readonly=True) as connection:
        account = await accounts.one(connection, installation_id)
    assert account is not None
    return deps.safeguards.seals.open_account_tokens(account).access_token


async def waiting(api: Api) -> int:
    return int((await api.row("select count(*) as n from account_revocations"))["n"])


@pytest.mark.parametrize("how", ["installation", "entry"])
async def test_the_token_of_an_installations_client_is_given_back_with_its_secret_when_it_goes(
    api: Api, provider: RotatingProvider, revocations: Revocations, deps: Deps, how: str
) -> None:
    made = await client_of(api, provider)
    token = await token_of(deps, made["id"])
    assert provider.takes(token)
    path = f"/installations/{made['id']}" if how == "installation" else f"/entries/{made['entry_id']}?cascade=true"
    await api.delete(path)
    assert await revocations.tell() == 1
    assert not provider.takes(token)
    assert await waiting(api) == 0


async def test_a_client_that_signs_gives_its_token_back_with_its_key(
    api: Api, provider: RotatingProvider, revocations: Revocations, deps: Deps
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    provider.client_key = key.public_key()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    made = await client_of(api, provider, pem, client_authentication="private_key_jwt")
    token = await token_of(deps, made["id"])
    await api.delete(f"/installations/{made['id']}")
    assert await revocations.tell() == 1
    assert not provider.takes(token)


@pytest.mark.parametrize("what", ["issuer", "how", "origin", "client"])
async def test_a_secret_that_was_given_for_something_else_is_not_shown_to_the_provider_of_the_token(
    api: Api, provider: RotatingProvider, revocations: Revocations, what: str
) -> None:
    """The entry moved and the secret was given again, while the account is still the one of before."""
    made = await client_of(api, provider)
    entry, changed = f"/entries/{made['entry_id']}", f"/installations/{made['id']}"
    async with RotatingProvider() as other:
        other.metadata_status = provider.metadata_status = 503  # nothing takes another token meanwhile
        match what:
            case "issuer":
                await api.patch(entry, {"credential_placement": {"issuer": other.url}})
            case "how":
                placement = {"issuer": provider.url, "client_authentication": "client_secret_post"}
                await api.patch(entry, {"credential_placement": placement})
            case "origin":
                await api.patch(entry, {"url": f"{other.url}/mcp"})
        values = {"client_id": "another" if what == "client" else CLIENT}
        await api.patch(changed, {"credential": "for another", "values": values})
        await api.delete(changed)
    assert await waiting(api) == 0
    assert await revocations.tell() == 0


TENANT = Field("tenant", "string", "", title="Tenant")


@pytest.mark.parametrize(
    "url",
    ["https://{tenant}.crm.example.com/mcp", "https://crm.example.com/mcp"],
    ids=["a placeholder in the host", "none"],
)
async def test_an_entrys_own_client_gives_back_what_an_installation_at_a_filled_in_host_had(
    api: Api, provider: RotatingProvider, revocations: Revocations, deps: Deps, url: str
) -> None:
    credential = OAuthCredential(registration="own", client_id=CLIENT, issuer=provider.url)
    fields = (TENANT,) if "{" in url else ()
    async with changing(deps.pool, NOBODY) as write:
        wanted = a_wanted_entry(url, slug="crm", credential=credential, fields=fields, client_secret=SECRET)
        entry = await entries.create(write, deps.safeguards, wanted)
    body = {"values": {"tenant": "acme"}} if fields else {}
    made = await api.install({"id": entry.id}, **body)
    family = provider.signs_in("ann")
    async with changing(deps.pool, NOBODY) as write:
        installation = await stored.one(write.connection, made["id"])
        assert installation is not None
        account = NewAccount(
            place=account_place(entry, installation), issuer=provider.url, token_endpoint=provider.endpoint,
            revocation_endpoint=f"{provider.url}/revoke", client_id=CLIENT,
            client_authentication="client_secret_basic", tokens=b"",
        )  # fmt: skip
        await account_changes.keep(
            write, deps.safeguards.seals, installation, account, AccountTokens("access", family)
        )
        await installations.delete(write, installation.id)
    assert await revocations.tell() == 1
    assert await waiting(api) == 0
