"""SQL that writes OAuth clients. Called by `control/changes/oauth_clients.py`, which locks the row before."""

from typing import Final

from control.registry.oauth_client import ClientFields, NewClient, OAuthClient
from control.store.oauth_clients import COLUMNS
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed, update_of
from control.store.writing import Writing

_NEW: Final = columns_of(NewClient)
_SET: Final = columns_of(ClientFields)
_RETURNING: Final = f" returning {listed(COLUMNS)}"
_INSERT: Final = insert_into("oauth_clients", _NEW) + _RETURNING
_UPDATE: Final = update_of("oauth_clients", _SET) + _RETURNING


async def insert(writing: Writing, client_pk: str, client: NewClient) -> OAuthClient:
    """A new client; StoreConflict `oauth_clients_client_id_key`, `oauth_clients_content_digest_key` or
    `oauth_clients_team_id_fkey`.
    """
    return made(OAuthClient, await writing.fetch_row(_INSERT, client_pk, *values_of(client, _NEW)))


async def update(writing: Writing, client_pk: str, client: ClientFields) -> OAuthClient:
    """The row with all that somebody may set; StoreConflict `oauth_clients_team_id_fkey`."""
    return made(OAuthClient, await writing.fetch_row(_UPDATE, client_pk, *values_of(client, _SET)))


async def set_secret(writing: Writing, client_pk: str, digest: str) -> OAuthClient:
    """The client has this secret and no other."""
    return made(
        OAuthClient,
        await writing.fetch_row(
            "update oauth_clients set secret_digest = $2, version = version + 1, updated_at = now() where id = $1"
            + _RETURNING,
            client_pk, digest,
        ),
    )  # fmt: skip


async def set_disabled(writing: Writing, client_pk: str, disabled: bool) -> OAuthClient:
    """The client is shut out from now on, or let in again."""
    return made(
        OAuthClient,
        await writing.fetch_row(
            "update oauth_clients set disabled_at = case when $2 then now() end, version = version + 1, "
            "updated_at = now() where id = $1" + _RETURNING,
            client_pk, disabled,
        ),
    )  # fmt: skip


async def delete(writing: Writing, client_pk: str) -> None:
    """The client goes, with its grants."""
    await writing.execute("delete from oauth_clients where id = $1", client_pk)
