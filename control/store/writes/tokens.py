"""SQL that writes bearer tokens. Called by `control/changes/tokens.py`, which locks the row before a change."""

from collections.abc import Sequence
from typing import Final

from control.registry.owner import owner_columns
from control.registry.token import NewToken, Token, kind_of
from control.store.rows import columns_of, values_of
from control.store.statements import insert_into, update_of
from control.store.writing import Writing
from core.identifiers import new_id

_OWNER: Final = ("kind", "user_id", "team_id")
_COLUMNS: Final = columns_of(NewToken, apart={"owner"})
_SET: Final = ("name", "expires_at")
_INSERT: Final = insert_into("tokens", (*_OWNER, *_COLUMNS))
_UPDATE: Final = update_of("tokens", _SET, dated=False)


async def insert(writing: Writing, token: NewToken) -> str:
    """The identifier of a new token; StoreConflict where its owner does not exist."""
    token_id = new_id()
    _, user_id, team_id, _ = owner_columns(token.owner)
    await writing.execute(_INSERT, token_id, kind_of(token.owner), user_id, team_id, *values_of(token, _COLUMNS))
    return token_id


async def update(writing: Writing, token: Token) -> None:
    """The token has this name and this end."""
    await writing.execute(_UPDATE, token.id, *values_of(token, _SET))


async def revoke(writing: Writing, token_id: str) -> None:
    """The token is revoked from now on."""
    await writing.execute(
        "update tokens set revoked_at = now(), version = version + 1 where id = $1 and revoked_at is null", token_id
    )


async def revoke_all(writing: Writing, token_ids: Sequence[str]) -> None:
    """These tokens, none of which is revoked, are revoked from now on."""
    await writing.execute(
        "update tokens set revoked_at = now(), version = version + 1 where id = any($1::uuid[])", list(token_ids)
    )


async def delete(writing: Writing, token_id: str) -> None:
    """The token goes, also from lists."""
    await writing.execute("delete from tokens where id = $1", token_id)
