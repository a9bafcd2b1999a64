"""What lists of records need beside their filters: where a page goes on, and whether what is asked for ever was.

Called by the operations of `/records` and by the console's page of calls. Whose records somebody sees is told by
`control/registry/record_access.py`.
"""

from datetime import datetime
from typing import Final

from control.http.paging import bad_cursor, open_cursor
from control.http.problems import invalid
from control.store import records
from control.store.pool import Connection
from control.store.records import KeptGap, KeptRecord, Wanted
from core.identifiers import is_id

_EARLIEST_YEAR: Final = 1970  # as `Moment`
_LATEST_YEAR: Final = 9000


def record_key(kept: KeptRecord) -> str:
    """What `record_place` reads."""
    return f"{kept.time.isoformat()} {kept.id}"


def record_place(cursor: str) -> tuple[datetime, str] | None:
    """Where a list of records goes on; None at its beginning. Raises Problem for what is no cursor of it."""
    if not cursor:
        return None
    time, _, record_id = open_cursor(cursor).partition(" ")
    if not is_id(record_id):
        raise bad_cursor()
    return _moment(time), record_id


def gap_key(kept: KeptGap) -> str:
    """What `gap_place` reads."""
    return f"{kept.noticed_at.isoformat()} {kept.number} {kept.worker}"


def gap_place(cursor: str) -> tuple[datetime, str, int] | None:
    """Where a list of gaps goes on; None at its beginning. Raises Problem for what is no cursor of it."""
    if not cursor:
        return None
    time, _, rest = open_cursor(cursor).partition(" ")
    number, _, worker = rest.partition(" ")
    if not (number.isascii() and number.isdigit() and len(number) < 19) or "\0" in worker:
        raise bad_cursor()
    return _moment(time), worker, int(number)


async def refuse_unknown(connection: Connection, wanted: Wanted) -> None:
    """Problem 422 for a gateway, entry or installation that there is not and never was: an empty list would say that
    nobody called it. To whoever sees only some records it says no more than that, and is what they get.
    """
    if wanted.principals is not None:
        return
    named: tuple[tuple[records.Named, str | None, str], ...] = (
        ("gateway", wanted.gateway_id, "is not the id of a gateway, and no record names it; list /gateways"),
        ("entry", wanted.entry_id, "is not the id of an entry, and no record names it; list /entries"),
        ("installation", wanted.installation_id, "is not the id of an installation, and no record names it; list "
         "/installations"),
    )  # fmt: skip
    for what, identifier, problem in named:
        if identifier is not None and not await records.is_known(connection, what, identifier):
            raise invalid(what, problem)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise bad_cursor() from None
    if found.tzinfo is None or not _EARLIEST_YEAR <= found.year <= _LATEST_YEAR:
        raise bad_cursor()
    return found
