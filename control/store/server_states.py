"""SQL of how servers that we run do: the latest word of their runtime, a row for each installation.

Written by `control/changes/server_states.py`, by way of `writes/server_states.py`. The tokens of bridges and
the base images of servers are written here: nobody decides them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from control.registry.server_state import Place, ServerState
from control.store.pool import Connection
from control.store.rows import made

_ANSWERS: Final = "(endpoint <> '' and phase in ('ready', 'degraded'))"


@dataclass(frozen=True, slots=True)
class Counted:
    """How the servers of a deployment do, all together."""

    by_phase: Mapping[str, int]
    restarts: int
    """How often they were started again by themselves since their latest change."""


async def one(connection: Connection, installation_id: str) -> ServerState | None:
    """How this installation's server does; None where nothing was reported yet."""
    row = await connection.fetchrow("select * from server_states where installation_id = $1", installation_id)
    return None if row is None else made(ServerState, row)


async def to_ask(connection: Connection, installation_id: str) -> bool:
    """Whether the installation's server answers, and was not asked yet what it offers since it was last changed."""
    return bool(
        await connection.fetchval(
            f"select generation > asked_generation and {_ANSWERS} from server_states where installation_id = $1",
            installation_id,
        )
    )


async def settled(connection: Connection, installation_ids: Collection[str], place: Place) -> list[str]:
    """Those of these installations whose servers at this place answer, or have a cause for not doing so."""
    rows = await connection.fetch(
        f"""select installation_id from server_states
           where installation_id = any($1::uuid[]) and place = $2
             and ({_ANSWERS} or phase = 'failed' or cause <> '')""",
        list(installation_ids), place,
    )  # fmt: skip
    return [row["installation_id"] for row in rows]


async def counted(connection: Connection) -> Counted:
    """How all servers do."""
    rows = await connection.fetch(
        "select phase, count(*) as number, sum(restarts) as restarts from server_states group by phase"
    )
    return Counted({row["phase"]: row["number"] for row in rows}, sum(row["restarts"] for row in rows))


async def base_image(connection: Connection, installation_id: str, newest: str) -> str:
    """The base image of the installation's server: the one that it has, or else this one from now on."""
    row = await connection.fetchrow(
        "update installations set base_image = $2 where id = $1 and base_image = '' returning base_image",
        installation_id, newest,
    )  # fmt: skip
    if row is None:
        row = await connection.fetchrow("select base_image from installations where id = $1", installation_id)
    return newest if row is None else str(row["base_image"])


async def bridge_token(connection: Connection, installation_id: str, sealed: bytes) -> bytes | None:
    """The sealed token of the installation's bridge: the one that it has, or else this one from now on; None where
    the installation is gone.
    """
    row = await connection.fetchrow(
        "update installations set bridge_token = $2 where id = $1 and bridge_token is null returning bridge_token",
        installation_id, sealed,
    )  # fmt: skip
    if row is None:
        row = await connection.fetchrow("select bridge_token from installations where id = $1", installation_id)
    return None if row is None else row["bridge_token"]
