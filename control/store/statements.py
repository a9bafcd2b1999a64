"""The text of the plain statements, made from one list of columns, so that each column is named once.

Called at import by the files of `control/store/`. Names come from our own source, never from a request; values go
as parameters, in the order of the list behind the identifier, which is `$1`.
"""

from collections.abc import Sequence


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
