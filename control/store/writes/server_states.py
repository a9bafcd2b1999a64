"""SQL that writes how servers that we run do. Called by `control/changes/server_states.py`, which locks the row."""

from typing import Final

from control.registry.server_state import ServerState
from control.store.rows import columns_of, values_of
from control.store.writing import Writing

_COLUMNS: Final = columns_of(ServerState, apart={"installation_id", "changed_at"})
_SET: Final = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
_PUT: Final = f"""
    insert into server_states (installation_id, {", ".join(_COLUMNS)})
    values ($1, {", ".join(f"${number}" for number in range(2, len(_COLUMNS) + 2))})
    on conflict (installation_id) do update set {_SET},
        changed_at = case when (server_states.phase, server_states.cause) = (excluded.phase, excluded.cause)
            then server_states.changed_at else now() end
"""


async def put(writing: Writing, state: ServerState) -> None:
    """How the server does from now on. `changed_at` moves where the phase or the cause is another."""
    await writing.execute(_PUT, state.installation_id, *values_of(state, _COLUMNS))


async def asked(writing: Writing, installation_id: str, generation: int) -> None:
    """The server of this generation was asked what it offers."""
    await writing.execute(
        "update server_states set asked_generation = greatest(asked_generation, $2) where installation_id = $1",
        installation_id, generation,
    )  # fmt: skip


async def restart(writing: Writing, installation_id: str) -> None:
    """One more restart is wanted of the installation's server, with the newest base image."""
    await writing.execute(
        "update installations set restarts_wanted = restarts_wanted + 1, base_image = '' where id = $1",
        installation_id,
    )
