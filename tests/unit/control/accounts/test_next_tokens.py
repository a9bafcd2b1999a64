from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from control.accounts.lease import Leased, Leases
from control.accounts.next_tokens import Next, NextTokens, is_final, may_be_asked
from control.credentials.upstream_oauth.token_request import Away, Refused
from control.providers.asking import Asker
from control.registry.credential import ClientCredentials, OAuthCredential
from core.resolve import ResolvedInstallation
from core.sealing import SealBroken
from tests.fakes.answering import LOOPBACK
from tests.fakes.registry import an_entry, an_installation
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import CLIENT, SECRET, RotatingProvider

ISSUER = "https://as.example"


def client_of(**wanted: Any) -> dict[str, Any]:
    return {"values": {"client_id": CLIENT}, "credential": SECRET, **wanted}


async def asked(rig: Renewing, installation_id: str) -> Any:
    found = await Leases(rig.pool, rig.seals).take(installation_id, 99)
    assert isinstance(found, Leased)
    tokens = NextTokens(Asker(rig.egress, LOOPBACK), rig.seals)
    return await tokens.asked(found)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_client_gets_a_token_for_itself_with_its_secret(
    rig: Renewing, provider: RotatingProvider, method: str
) -> None:
    entry = await rig.client_entry(client_authentication=method, scopes=("read", "write"))
    installation = await rig.installed(entry, **client_of())
    assert provider.takes(await rig.token(installation.id)) == "client read write"
    form = provider.forms[0]
    assert (form["grant_type"], form["resource"]) == ("client_credentials", rig.server)
    account = await rig.account(installation.id)
    assert (account.version, account.scopes, account.client_id) == (1, ("read", "write"), CLIENT)


async def test_a_client_proves_itself_with_its_key(rig: Renewing, provider: RotatingProvider) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    provider.client_key = key.public_key()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    entry = await rig.client_entry(client_authentication="private_key_jwt")
    installation = await rig.installed(entry, **client_of(credential=pem))
    assert provider.takes(await rig.token(installation.id)) == "client"
    assert "client_secret" not in provider.forms[0]


async def test_a_key_that_is_none_needs_another_one(rig: Renewing, provider: RotatingProvider) -> None:
    entry = await rig.client_entry(client_authentication="private_key_jwt")
    installation = await rig.installed(entry, **client_of(credential="no key"))
    refusal = await rig.refusal(installation.id)
    assert refusal.code == "needs_sign_in"
    assert not provider.forms


async def test_a_clients_next_token_takes_the_place_of_the_one_that_ended(
    rig: Renewing, provider: RotatingProvider
) -> None:
    installation = await rig.installed(await rig.client_entry(), **client_of())
    first = await rig.token(installation.id)
    assert await rig.token(installation.id) == first
    await rig.execute("update accounts set expires_at = now(), refreshed_at = now() - interval '1 hour'")
    second = await rig.token(installation.id)
    assert (second != first, provider.granted) == (True, 2)
    assert (await rig.account(installation.id)).version == 2


async def test_another_client_of_the_installation_gets_its_own_token(
    rig: Renewing, provider: RotatingProvider
) -> None:
    installation = await rig.installed(await rig.client_entry(), **client_of())
    first = await rig.token(installation.id)
    await rig.execute("update accounts set client_id = 'before'")
    assert await rig.token(installation.id) != first
    assert provider.granted == 2


async def test_metadata_that_cannot_be_asked_leaves_the_place_of_the_token_before(
    rig: Renewing, provider: RotatingProvider
) -> None:
    installation = await rig.installed(await rig.client_entry(), **client_of())
    await rig.token(installation.id)
    provider.metadata_status = 503
    await rig.execute("update accounts set expires_at = now(), refreshed_at = now() - interval '1 hour'")
    await rig.token(installation.id)
    assert provider.granted == 2


async def test_metadata_of_another_issuer_is_not_used(rig: Renewing, provider: RotatingProvider) -> None:
    provider.metadata = {"issuer": "https://another.example"}
    installation = await rig.installed(await rig.client_entry(), **client_of())
    answer = await asked(rig, installation.id)
    assert isinstance(answer, Refused)
    assert "another issuer" in answer.sentence
    assert not provider.forms
    assert (await rig.refusal(installation.id)).code == "provider_away"


async def test_an_issuer_that_is_away_is_no_answer(rig: Renewing, provider: RotatingProvider) -> None:
    provider.metadata_status = 503
    installation = await rig.installed(await rig.client_entry(), **client_of())
    assert isinstance(await asked(rig, installation.id), Away)


async def test_a_persons_next_tokens_are_asked_with_the_refresh_token_and_for_the_same_resource(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann")
    first = provider.families[0].newest
    answer = await asked(rig, ann)
    assert isinstance(answer, Next)
    sent = {"grant_type": "refresh_token", "refresh_token": first, "resource": rig.server}
    assert len(provider.forms) == 1
    assert sent.items() <= provider.forms[0].items()
    assert (await rig.account(ann)).version == 1, "nothing is kept here"


async def test_the_secret_of_a_client_that_archway_registered_is_used(
    rig: Renewing, provider: RotatingProvider
) -> None:
    entry = await rig.entry(OAuthCredential(issuer=provider.url))
    row = "0198c2f0-0000-7000-8000-000000000001"
    sealed = rig.seals.upstream_client_secret(row, provider.url, SECRET)
    await rig.execute(
        """insert into upstream_clients
            (id, entry_id, issuer, redirect_uri, client_id, client_secret, client_authentication)
            values ($1, $2, $3, 'https://tools.example/back', $4, $5, 'client_secret_basic')""",
        row, entry.id, provider.url, CLIENT, sealed,
    )  # fmt: skip
    ann = await rig.signed_in("ann", entry, ended=True, upstream_client_id=row)
    assert provider.takes(await rig.token(ann)) == "ann"
    await rig.execute("update upstream_clients set issuer = 'https://another.example'")
    with pytest.raises(SealBroken):
        await asked(rig, ann)


async def test_the_clients_token_reaches_what_a_call_carries(rig: Renewing) -> None:
    installation = await rig.installed(await rig.client_entry(), **client_of())
    found = await rig.resolved(installation.id)
    assert isinstance(found, ResolvedInstallation)
    assert [name for name, _ in found.credential_headers] == ["authorization"]
    assert SECRET not in str(found.credential_headers)
    assert found.expires_at > datetime.now(UTC).timestamp()


@pytest.mark.parametrize(
    ("endpoint", "changes", "may"),
    [
        (f"{ISSUER}/token", {}, True),
        ("https://other.example/token", {}, False),
        ("https://as.example.evil/token", {}, False),
        ("https://as.example:8443/token", {}, False),
        ("http://as.example/token", {}, False),
        ("https://other.example/token", {"approved_hosts": ("https://other.example",)}, True),
        ("https://other.example/token", {"token_endpoint": "https://other.example/token"}, True),
        ("https://other.example/token2", {"token_endpoint": "https://other.example/token"}, False),
    ],
)
def test_what_may_be_asked_is_the_issuers_or_approved(endpoint: str, changes: dict[str, Any], may: bool) -> None:
    assert may_be_asked(endpoint, ISSUER, OAuthCredential(**changes)) is may


@pytest.mark.parametrize(
    ("error", "of_client", "final"),
    [
        ("invalid_grant", False, True),
        ("invalid_client", False, False),
        ("invalid_client", True, True),
        ("unauthorized_client", True, True),
        ("client_key", True, True),
        ("invalid_scope", False, False),
        ("invalid_scope", True, False),
        ("", False, False),
        ("unfit", True, False),
    ],
)
def test_only_a_no_to_what_was_given_is_final(error: str, of_client: bool, final: bool) -> None:
    credential = ClientCredentials(issuer=ISSUER) if of_client else OAuthCredential()
    leased = Leased(replace(an_entry(), credential=credential), an_installation(), None, "", 0.0)
    assert is_final(Refused(error=error), leased) is final
