"""SQL that writes how long servers were not called. Called by `control/changes/idle_servers.py`, which locks."""

from typing import Final

from control.registry.idleness import Idleness
from control.store.idle_servers import IDLE_MINUTES
from control.store.rows import columns_of, values_of
from control.store.writing import Writing

_COLUMNS: Final = columns_of(Idleness)
_SET: Final = ", ".join(f"{name} = ${number}" for number, name in enumerate(_COLUMNS, 2))
_COUNTED: Final = f"""
    select i.id from installations i join entries e on e.id = i.entry_id
    where e.kind = 'self_hosted' and {IDLE_MINUTES} > 0
"""


async def begin(writing: Writing) -> None:
    """Count from now on for those that are ended when they are idle and were not counted, and for no others."""
    await writing.execute(f"insert into idle_servers (installation_id) {_COUNTED} on conflict do nothing")
    await writing.execute(f"delete from idle_servers where installation_id not in ({_COUNTED})")


async def begin_one(writing: Writing, installation_id: str) -> None:
    """Count for this one, if that is not done."""
    await writing.execute(
        "insert into idle_servers (installation_id) values ($1) on conflict do nothing", installation_id
    )


async def put(writing: Writing, installation_id: str, found: Idleness) -> None:
    """How it is from now on."""
    await writing.execute(
        f"update idle_servers set {_SET} where installation_id = $1", installation_id, *values_of(found, _COLUMNS)
    )


async def ask_again(writing: Writing, installation_id: str) -> None:
    """Have the server asked what it offers as soon as it answers again."""
    await writing.execute(
        "update server_states set asked_generation = -1 where installation_id = $1", installation_id
    )
