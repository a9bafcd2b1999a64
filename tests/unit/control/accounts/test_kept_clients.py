"""Which secret of ours is whose, and that it opens for nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from control.accounts.kept_clients import (
    client_of_account,
    client_of_revocation,
    own_secret,
    place_of_revocation,
    registered_client,
    sealed_secret,
)
from control.registry.account import client_place, place_of
from control.registry.account_revocation import NewRevocation
from control.registry.credential import OAuthCredential
from control.registry.entry import bound_origin
from control.registry.row_seals import RowSeals
from control.registry.upstream_client import RegisteredClient
from core.client_keys import KeyRefused
from core.keys import new_key, parse_key_ring
from core.sealing import SealBroken
from tests.fakes.registry import an_account, an_entry

PEM = (
    ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)
SEALS = RowSeals(parse_key_ring("K", new_key()))
ISSUER = "https://login.test"
OWN = OAuthCredential(client_id="archway", issuer=ISSUER)
ORIGIN = bound_origin(an_entry().reached)
ENTRY = an_entry(
    credential=OWN, client_secret=SEALS.entry_client_secret(an_entry().id, client_place(OWN, ORIGIN), "by hand")
)
ROW = RegisteredClient(
    id="c1", entry_id=ENTRY.id, issuer=ISSUER, redirect_uri="https://a.test/back", client_id="made",
    client_secret=SEALS.upstream_client_secret("c1", ISSUER, "registered"),
    client_authentication="client_secret_post", secret_expires_at=None,
)  # fmt: skip
BY_HAND = an_account(place=place_of(ENTRY, ORIGIN), client_authentication="client_secret_basic")
REGISTERED = replace(BY_HAND, client_id="made", upstream_client_id="c1", client_authentication="client_secret_post")
OF_DOCUMENT = replace(BY_HAND, client_id="https://a.test/doc", client_authentication="none")


def revocation(account: Any, secret: bytes | None) -> NewRevocation:
    names = NewRevocation.__dataclass_fields__.keys() - {"entry_id", "client_secret", "client_of"}
    told = {name: getattr(account, name) for name in names}
    return NewRevocation(**told, entry_id=ENTRY.id, client_secret=secret)


@pytest.mark.parametrize(("method", "secret"), [("client_secret_post", "theirs"), ("private_key_jwt", PEM)])
def test_an_installations_own_client_gives_its_token_back_with_its_secret_or_its_signature(
    method: str, secret: str
) -> None:
    sealed = SEALS.secret_values(BY_HAND.installation_id, {"credential": secret})
    given = replace(revocation(BY_HAND, sealed), client_of="installation", client_authentication=method)
    place = place_of_revocation(SEALS, given)
    assert (place.endpoint, place.client.client_id) == (BY_HAND.token_endpoint, BY_HAND.client_id)
    assert (place.client.client_secret, place.key is None) == (
        ("theirs", True) if secret == "theirs" else ("", False)
    )


def test_a_key_that_cannot_sign_gives_nothing_back() -> None:
    sealed = SEALS.secret_values(BY_HAND.installation_id, {"credential": "no key"})
    given = replace(revocation(BY_HAND, sealed), client_of="installation", client_authentication="private_key_jwt")
    with pytest.raises(KeyRefused):
        place_of_revocation(SEALS, given)


@pytest.mark.parametrize(
    ("account", "row", "secret"),
    [(BY_HAND, None, "by hand"), (REGISTERED, ROW, "registered"), (OF_DOCUMENT, None, "")],
)
def test_an_account_is_renewed_and_given_back_with_the_secret_of_its_own_client(
    account: Any, row: RegisteredClient | None, secret: str
) -> None:
    client = client_of_account(SEALS, ENTRY, OWN, account, row)
    assert (client.client_id, client.client_secret, client.issuer) == (account.client_id, secret, ISSUER)
    assert client.authentication == account.client_authentication
    assert client_of_revocation(SEALS, revocation(account, sealed_secret(ENTRY, account, row))) == client


def test_a_client_that_archway_registered_knows_when_its_secret_ends() -> None:
    client = registered_client(SEALS, ROW)
    assert (client.client_id, client.client_secret, client.how, client.secret_expires_at) == (
        "made", "registered", "dynamic", 0,
    )  # fmt: skip
    assert client.authentication == "client_secret_post"


@pytest.mark.parametrize(
    "row",
    [
        None,
        replace(ROW, id="c2"),
        replace(ROW, issuer="https://evil.test"),
        replace(ROW, client_secret=SEALS.upstream_client_secret("c1", "https://evil.test", "s")),
    ],
)
def test_without_its_row_a_registered_client_proves_itself_to_nobody(row: RegisteredClient | None) -> None:
    account = replace(REGISTERED, upstream_client_id="c1" if row is None else row.id)
    with pytest.raises(SealBroken):
        client_of_account(SEALS, ENTRY, OWN, account, row)


@pytest.mark.parametrize("moved", [{"issuer": "https://evil.test"}, {"token_endpoint": "https://evil.test/token"}])
def test_the_secret_of_an_entry_follows_it_to_no_other_provider(moved: dict[str, str]) -> None:
    settings = OAuthCredential(client_id="archway", **{"issuer": ISSUER, **moved})  # type: ignore[arg-type]  # names
    entry = replace(ENTRY, credential=settings)
    with pytest.raises(SealBroken):
        own_secret(SEALS, entry, settings)
    with pytest.raises(SealBroken):
        client_of_account(SEALS, entry, settings, BY_HAND, None)


def test_an_entrys_secret_is_of_no_account_of_another_client() -> None:
    assert sealed_secret(ENTRY, replace(BY_HAND, client_id="another"), None) is None
    assert sealed_secret(replace(ENTRY, credential=OAuthCredential()), BY_HAND, None) is None
