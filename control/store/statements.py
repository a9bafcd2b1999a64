"""The text of the plain statements, made from one list of columns, so that each column is named once.

Called at import by the files of `control/store/`. Names come from our own source, never from a request; values go
as parameters, in the order of the list behind the identifier, which is `$1`.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """Where a list goes on: behind the row with this name and this identifier."""

    name: str
    id: str


def place_of(after: Place | None) -> tuple[str | None, str | None]:
    """The two parameters of `behind`."""
    return (None, None) if after is None else (after.name, after.id)


def behind(number: int, name: str, identifier: str) -> str:
    """The condition that a row comes after a place: parameters `number` and the next; null is before the first row.

    With `in_order`, so that pages are cut where the list is: by name in whatever case, then by identifier.
    """
    return (
        f'(${number}::text is null or (lower({name}) collate "C", {identifier}) > '
        f'(lower(${number}::text) collate "C", ${number + 1}::uuid))'
    )


def in_order(name: str, identifier: str) -> str:
    """The order of a list for people: by these columns, a name and an identifier."""
    return f'order by lower({name}) collate "C", {identifier}'


def listed(columns: Sequence[str], of: str = "") -> str:
    """`a, b` for a select; `t.a, t.b` of the table `t`."""
    return ", ".join(f"{of}.{column}" if of else column for column in columns)


def insert_into(table: str, columns: Sequence[str]) -> str:
    """A row with the identifier and these columns; the others get the schema's defaults."""
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 2))
    return f"insert into {table} (id, {listed(columns)}) values ({places})"


def update_of(table: str, columns: Sequence[str], *, dated: bool = True) -> str:
    """The row with this identifier gets these columns and the next version; `dated`: it keeps when it changed."""
    settings = [f"{column} = ${number}" for number, column in enumerate(columns, start=2)]
    settings += ["version = version + 1", *(["updated_at = now()"] if dated else [])]
    return f"update {table} set {', '.join(settings)} where id = $1"
