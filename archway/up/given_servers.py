"""Servers that somebody else runs: said at once when one is away, instead of a minute of silence.

Called by stack.py beside the start of the planes. Says and never refuses: control waits for its database by itself,
and both planes work without Redis.
"""

import asyncio
from collections.abc import Mapping

from msgspec import structs

from archway.up.report import Report
from control.settings import ControlSettings

_ASK_WITHIN_S = 1.5


async def tell_away(given: Mapping[str, str], report: Report) -> None:
    """One note for each given server that does not answer now."""
    from archway.doctor.servers_check import check_database, check_redis

    database, redis = given.get("ARCHWAY_DATABASE_URL"), given.get("ARCHWAY_REDIS_URL")
    if database and (found := await asyncio.to_thread(check_database, database, _ASK_WITHIN_S)):
        wait = f"waiting up to {database_wait(given):.0f} s for it (ARCHWAY_DATABASE_WAIT)"
        report.note(f"{found[0].what}; {wait}")
    if redis and (found := await asyncio.to_thread(check_redis, redis, _ASK_WITHIN_S)):
        report.note(f"{found[0].what}; starting without it, {found[0].why} (ARCHWAY_REDIS_URL)")


def database_wait(given: Mapping[str, str]) -> float:
    """Seconds that control waits for its database; what is no number was refused before."""
    default = next(field.default for field in structs.fields(ControlSettings) if field.name == "database_wait")
    return float(given.get("ARCHWAY_DATABASE_WAIT") or default)
