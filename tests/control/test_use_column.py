"""What tokens are for, in the table: those of the version before, and those that it still writes meanwhile."""

from __future__ import annotations

import asyncpg
import pytest

from control.store.migrate import FOLDER
from control.store.pool import Connection, Pool, transaction
from control.store.tokens import by_digest, verdict_for
from core.identifiers import new_id
from tests.control import seeded

(FILE,) = FOLDER.glob("*_what_tokens_are_for.sql")
AS_BEFORE = "alter table tokens drop column use; drop index tokens_created_by;"


@pytest.mark.parametrize("kind", ["user", "team", "organisation"])
async def test_a_token_of_the_version_before_is_for_gateways_and_goes_on_there(pool: Pool, kind: str) -> None:
    async with transaction(pool) as connection:
        ann = await seeded.user(connection, role="admin")
        owner = {"user": {"user": ann}, "team": {"team": await seeded.team(connection, "ops")}}.get(kind, {})
        digest = await seeded.token(connection, **owner)
        await connection.execute(AS_BEFORE)
        await connection.execute(FILE.read_text())
        token = await by_digest(connection, digest)
        assert token is not None
        assert token.use == "gateways"
        assert (await verdict_for(connection, digest)).principal is not None


async def test_a_token_that_the_version_before_makes_meanwhile_is_for_gateways(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await _insert(connection, "organisation")
        assert (await by_digest(connection, "0" * 64)).use == "gateways"  # type: ignore[union-attr] # it is there


async def test_no_token_of_a_team_or_the_organisation_is_ever_for_the_api(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await _insert(connection, "organisation")
    with pytest.raises(Exception, match="check") as caught:
        async with transaction(pool) as connection:
            await connection.execute("update tokens set use = 'api'")
    assert isinstance(caught.value.__cause__ or caught.value, asyncpg.CheckViolationError)


async def _insert(connection: Connection, kind: str) -> None:
    """As the version before does, without the column."""
    await connection.execute(
        "insert into tokens (id, digest, name, kind) values ($1, $2, 'old', $3)", new_id(), "0" * 64, kind
    )
