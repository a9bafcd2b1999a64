"""SQL that writes bearer tokens. Called by `control/changes/tokens.py`, which locks the row before a change."""

from collections.abc import Mapping
from typing import Any, Final

from control.store.statements import insert_into, update_of
from control.store.writing import Writing
from core.identifiers import new_id

_MADE_WITH: Final = ("digest", "name", "kind", "user_id", "team_id", "created_by", "expires_at")
_SETTABLE: Final = ("name", "expires_at")
_INSERT: Final = insert_into("tokens", _MADE_WITH)
_UPDATE: Final = update_of("tokens", _SETTABLE, dated=False)


async def insert(writing: Writing, token: Mapping[str, Any]) -> str:
    """The identifier of a new token; StoreConflict where its owner does not exist."""
    token_id = new_id()
    await writing.execute(_INSERT, token_id, *(token[column] for column in _MADE_WITH))
    return token_id


async def update(writing: Writing, token_id: str, token: Mapping[str, Any]) -> None:
    """The token has this name and this end."""
    await writing.execute(_UPDATE, token_id, *(token[column] for column in _SETTABLE))


async def revoke(writing: Writing, token_id: str) -> None:
    """The token is revoked from now on."""
    await writing.execute(
        "update tokens set revoked_at = now(), version = version + 1 where id = $1 and revoked_at is null", token_id
    )


async def delete(writing: Writing, token_id: str) -> None:
    """The token goes, also from lists."""
    await writing.execute("delete from tokens where id = $1", token_id)
