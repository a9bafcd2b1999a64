"""People of a deployment by the thousand, with what they call by, written into its database.

    people = await People.made(connection, 3000)
    tokens = await people.static_tokens()
    grants = await people.grants(client_pk, gateway_id)

Ten thousand callers by the admin API would take longer than the bench. What is written is what control would write;
nobody must be told, since nobody holds anything of people who are new.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg

from control.registry.oauth_grant import LIFE
from control.registry.refresh_token import new_salt
from control.store.pool import prepare_connection
from core.identifiers import new_id
from core.tokens import digest, new_token

_LIFE: Final[timedelta] = LIFE


@dataclass(frozen=True, slots=True)
class MadeGrant:
    """A grant that was redeemed, with the salt of its refresh tokens, of which the first lives."""

    id: str
    user_id: str
    salt: bytes


class People:
    """People who were written into the database of a bench."""

    def __init__(self, connection: "asyncpg.Connection[Any]", ids: list[str]) -> None:
        self._connection, self.ids = connection, ids

    @classmethod
    async def made(cls, connection: "asyncpg.Connection[Any]", count: int) -> "People":
        """So many members."""
        await prepare_connection(connection)
        ids = [new_id() for _ in range(count)]
        await connection.executemany(
            "insert into users (id, name, email, role) values ($1, $2, $3, 'member')",
            [(one, f"Caller {one[-12:]}", email_of(one)) for one in ids],
        )
        return cls(connection, ids)

    async def static_tokens(self) -> list[str]:
        """An `arch_` token of each."""
        tokens = [new_token() for _ in self.ids]
        await self._connection.executemany(
            "insert into tokens (id, digest, name, kind, user_id) values ($1, $2, 'bench', 'user', $3)",
            [(new_id(), digest(token), user_id) for token, user_id in zip(tokens, self.ids, strict=True)],
        )
        return list(tokens)

    async def grants(self, client_pk: str, gateway_id: str) -> list[MadeGrant]:
        """A grant of each for this client at this gateway, with refresh tokens."""
        made = [MadeGrant(new_id(), user_id, new_salt()) for user_id in self.ids]
        await self._connection.executemany(
            """insert into oauth_grants (id, client_id, user_id, gateway_id, scopes, expires_at, redeemed_at)
               values ($1, $2, $3, $4, '{mcp}', now() + $5::interval, now())""",
            [(one.id, client_pk, one.user_id, gateway_id, _LIFE) for one in made],
        )
        await self._connection.executemany(
            "insert into oauth_refresh_tokens (grant_id, salt) values ($1, $2)", [(one.id, one.salt) for one in made]
        )
        return made

    async def identities(self, provider_id: str, issuer: str) -> list[str]:
        """Each is known at this provider; their subjects there."""
        await self._connection.executemany(
            """insert into identities (id, provider_id, issuer, subject, user_id, email)
               values ($1, $2, $3, $4, $5, $6)""",
            [(new_id(), provider_id, issuer, one, one, email_of(one)) for one in self.ids],
        )
        return self.ids


def email_of(user_id: str) -> str:
    """The address of somebody whom the bench made."""
    return f"{user_id}@bench.invalid"
