"""Changes of OAuth clients: those that an admin registers, and those that come by themselves.

A client that registers by itself, or is known by its own document, is nobody's decision: the trail says nothing of it
until a person allows it something. Proxies hold verdicts on a client's tokens, so whatever ends or narrows a client
is announced by the name that its tokens have.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from control.changes.refusals import NotNow, NotThere, refuse_stale
from control.changes.write import Write
from control.registry.broken_rule import BrokenRule
from control.registry.oauth_client import (
    SECRET_METHODS,
    ClientFields,
    Kind,
    NewClient,
    OAuthClient,
    check_registered,
    told_of_client,
)
from control.registry.owner import ServiceAccount
from control.store import entries, oauth_clients
from control.store.writes import entries as entry_rows
from control.store.writes import oauth_clients as rows
from core.identifiers import new_id
from core.tokens import digest

_SECRET_BYTES = 32


async def create(write: Write, wanted: ClientFields) -> tuple[OAuthClient, str]:
    """Register a client; returns it with its secret ('' where it has none), of which only the digest is kept.
    BrokenRule; StoreConflict `oauth_clients_team_id_fkey`.
    """
    check_registered(wanted)
    made, secret = await _inserted(write, wanted, kind="registered", created_by=write.actor.user_id or None)
    await write.announce()
    await write.record("create", "oauth_client", made.id, None, told_of_client(made))
    return made, secret


async def register(write: Write, wanted: ClientFields, content_digest: str | None) -> tuple[OAuthClient, str]:
    """A client registers by itself. One that sends what another sent before is that one: `content_digest` is of it;
    None for a client with a secret, which is nobody else's.
    """
    if content_digest is not None:
        known = await oauth_clients.registered_again(write.connection, content_digest)
        if known is not None:
            return known, ""
    made, secret = await _inserted(write, wanted, kind="dynamic", content_digest=content_digest)
    await write.announce()
    write.observed()
    return made, secret


async def keep_document(write: Write, client_id: str, document: ClientFields) -> OAuthClient:
    """A client's own document says this now; its row is made at the first person who comes with it."""
    known = await oauth_clients.named(write.connection, client_id)
    if known is None:
        made = await rows.insert(
            write, new_id(), NewClient(**_fields_of(document), client_id=client_id, kind="document")
        )
    elif _fields_of(known) == _fields_of(document):
        return known
    else:
        made = await rows.update(write, known.id, document)
    await write.announce()
    write.observed()
    return made


async def change(write: Write, client_pk: str, wanted: Mapping[str, Any], version: int | None = None) -> OAuthClient:
    """Change what `wanted` names of a client that an admin registered. BrokenRule; StoreConflict as `create`."""
    before = await _locked(write, client_pk, version)
    _refuse_foreign(before)
    after_fields = replace(ClientFields(**_fields_of(before)), **wanted)
    check_registered(after_fields)
    if after_fields.acts != before.acts:
        raise BrokenRule("acts", "is settled when the client is made; make another")
    if after_fields.auth_method in SECRET_METHODS and before.secret_digest is None:
        raise BrokenRule("auth_method", "needs a secret, which this client has none of; make another")
    after = await rows.update(write, client_pk, after_fields)
    await write.announce(clients=[before.client_id])
    await write.record("update", "oauth_client", client_pk, told_of_client(before), told_of_client(after))
    return after


async def renew_secret(write: Write, client_pk: str) -> tuple[OAuthClient, str]:
    """Give a client another secret; the one before opens nothing from now on."""
    before = await _locked(write, client_pk, None)
    if before.auth_method not in SECRET_METHODS:
        raise NotNow("This client has no secret: it proves itself in another way, or not at all.")
    secret = _new_secret(before)
    after = await rows.set_secret(write, client_pk, digest(secret))
    await write.announce()
    await write.record("update", "oauth_client", client_pk, told_of_client(before), told_of_client(after))
    return after, secret


async def set_disabled(write: Write, client_pk: str, *, disabled: bool) -> OAuthClient:
    """Shut a client out, or let it in again: none of its tokens is accepted meanwhile. Nothing is deleted."""
    found_by_it = await entries.discovered_by(write.connection, ServiceAccount(client_pk)) if disabled else ()
    before = await _locked(write, client_pk, None)
    if (before.disabled_at is not None) == disabled:
        return before
    after = await rows.set_disabled(write, client_pk, disabled)
    if disabled:
        await entry_rows.discover_through_another(write, found_by_it)
    await write.announce(clients=[before.client_id])
    await write.record(
        "disable" if disabled else "enable",
        "oauth_client",
        client_pk,
        told_of_client(before),
        told_of_client(after),
    )
    return after


async def delete(write: Write, client_pk: str, version: int | None = None) -> None:
    """Delete a client with its grants and its installations. One that comes by itself may come again."""
    found_by_it = await entries.discovered_by(write.connection, ServiceAccount(client_pk))
    before = await _locked(write, client_pk, version)
    going = await oauth_clients.goes_with(write.connection, client_pk)
    await rows.delete(write, client_pk)
    await entry_rows.discover_through_another(write, found_by_it)
    await write.announce(clients=[before.client_id], installations=going.installations, gateways=going.gateways)
    await write.record("delete", "oauth_client", client_pk, told_of_client(before), None)


async def _inserted(
    write: Write,
    wanted: ClientFields,
    *,
    kind: Kind,
    created_by: str | None = None,
    content_digest: str | None = None,
) -> tuple[OAuthClient, str]:
    """The row of a client that is named by its own identifier, and its secret, '' where it has none."""
    client_pk, secret = new_id(), _new_secret(wanted)
    client = NewClient(
        **_fields_of(wanted),
        client_id=client_pk,
        kind=kind,
        secret_digest=digest(secret) if secret else None,
        content_digest=content_digest,
        created_by=created_by,
    )
    return await rows.insert(write, client_pk, client), secret


async def _locked(write: Write, client_pk: str, version: int | None) -> OAuthClient:
    client = await oauth_clients.one(write.connection, client_pk, lock=True)
    if client is None:
        raise NotThere("OAuth client")
    refuse_stale(version, client.version)
    return client


def _refuse_foreign(client: OAuthClient) -> None:
    if client.kind != "registered":
        raise NotNow("This client said by itself what it is; it can be disabled or deleted, and not changed.")


def _new_secret(wanted: ClientFields) -> str:
    return f"archs_{secrets.token_urlsafe(_SECRET_BYTES)}" if wanted.auth_method in SECRET_METHODS else ""


def _fields_of(client: ClientFields) -> dict[str, Any]:
    return {name: getattr(client, name) for name in ClientFields.__dataclass_fields__}
