"""Whether what the database keeps sealed opens with the key that control is given.

With another key everything starts and looks well, and each call that needs a credential is refused. Called by
examine.py; reads at most `MOST_ROWS` of each kind and shows none of what it opens.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from archway.doctor.finding import Finding
from archway.doctor.servers_check import DEADLINE_S
from control.registry.row_seals import RowSeals
from core.keys import BadKey, parse_key_ring
from core.sealing import SealBroken

SECRET_KEY = "ARCHWAY_SECRET_KEY"  # noqa: S105 - the name of a setting
MOST_ROWS = 500
_INSTALLATIONS = (
    "select id::text, name, secret_values as sealed from installations "
    "where secret_values is not null order by id desc limit $1"
)
_ENTRIES = (
    "select id::text, slug as name, fixed_headers as sealed from entries "
    "where fixed_headers is not null order by id desc limit $1"
)


def check_secrets(database_url: str, key: str, where: str) -> list[Finding]:
    """What does not open; `where` says where the key was read. Nothing when the database is away or still empty."""
    try:
        seals = RowSeals(parse_key_ring(SECRET_KEY, key))
        installations, entries = asyncio.run(_sealed(database_url))
    except (BadKey, OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return []  # the checks of the key and of the database say it
    shut = [f"installation {row['name']}" for row in installations if not _opens(seals.open_secret_values, row)]
    shut += [f"entry {row['name']}" for row in entries if not _opens(seals.open_fixed_headers, row)]
    if not shut:
        return []
    more = f" and {len(shut) - 3} more" if len(shut) > 3 else ""
    return [
        Finding(
            f"the stored secrets of {', '.join(shut[:3])}{more} do not open with {SECRET_KEY} ({where})",
            "calls that need them are refused",
            "start control with the key that sealed them (and beside it the new one, if you want to keep that), "
            "or give them again: "
            "`archway installations update NAME --credential`, `archway entries update NAME --header HEADER`",
        )
    ]


async def _sealed(url: str) -> tuple[list[Any], list[Any]]:
    connection = await asyncpg.connect(url, timeout=DEADLINE_S, command_timeout=DEADLINE_S)
    try:
        return await connection.fetch(_INSTALLATIONS, MOST_ROWS), await connection.fetch(_ENTRIES, MOST_ROWS)
    finally:
        await connection.close(timeout=DEADLINE_S)


def _opens(opener: Callable[[str, bytes], object], row: Any) -> bool:
    try:
        opener(row["id"], row["sealed"])
    except SealBroken:
        return False
    return True
