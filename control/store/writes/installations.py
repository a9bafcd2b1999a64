"""SQL that writes installations. Called by `control/changes/`, which locks the entry's row before, then this one."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from control.registry.installation import InstallationState, NewInstallation, SealedAnswers
from control.registry.owner import owner_columns
from control.store.rows import columns_of, values_of
from control.store.statements import insert_into
from control.store.writing import Writing

_OWNER: Final = ("scope", "user_id", "team_id", "oauth_client_id")
_COLUMNS: Final = columns_of(NewInstallation, apart={"owner"})
_INSERT: Final = insert_into("installations", _OWNER + _COLUMNS)


async def insert(writing: Writing, installation_id: str, installation: NewInstallation) -> None:
    """A new one in the state `new`; StoreConflict `installations_one_name` or `_one_default`."""
    owner = owner_columns(installation.owner)
    await writing.execute(_INSERT, installation_id, *owner, *values_of(installation, _COLUMNS))


async def rename(writing: Writing, installation_id: str, name: str, protocol: str) -> None:
    """The name and the protocol, and the next version; StoreConflict `installations_one_name`."""
    await writing.execute(
        """update installations set name = $2, protocol = $3, version = version + 1, updated_at = now()
           where id = $1""",
        installation_id, name, protocol,
    )  # fmt: skip


async def set_default(writing: Writing, installation_id: str) -> None:
    """Make it the default of its owner, in the place of the one that was."""
    await writing.execute(
        """update installations o set is_default = false, version = o.version + 1, updated_at = now()
           from installations i
           where i.id = $1 and o.id <> i.id and o.is_default and o.entry_id = i.entry_id
             and o.user_id is not distinct from i.user_id and o.team_id is not distinct from i.team_id
             and o.oauth_client_id is not distinct from i.oauth_client_id""",
        installation_id,
    )
    await writing.execute(
        """update installations set is_default = true, version = version + 1, updated_at = now()
           where id = $1 and not is_default""",
        installation_id,
    )


async def fill(writing: Writing, installation_id: str, answers: SealedAnswers) -> None:
    """New answers: another credential version, whose server has to be discovered again."""
    await writing.execute(
        """update installations set plain_values = $2, secret_values = $3, secret_names = $4, bound_origin = $5,
               bound_places = $6, bound_url = $7, credential_version = credential_version + 1, state = 'new',
               state_reason = ''
           where id = $1""",
        installation_id, answers.plain_values, answers.secret_values, answers.secret_names, answers.bound_origin,
        answers.bound_places, answers.bound_url,
    )  # fmt: skip


async def set_state(writing: Writing, installation_id: str, state: InstallationState, reason: str) -> None:
    """What discovery or a change of the entry made of it. Its version rises only where that is news."""
    await writing.execute(
        """update installations set state = $2, state_reason = $3, updated_at = now(),
               version = version + (state <> $2 or state_reason <> $3)::int
           where id = $1""",
        installation_id, state, reason,
    )  # fmt: skip


async def set_server(writing: Writing, installation_id: str, server: Mapping[str, Any]) -> None:
    """Make the installation ready, with what discovery saw of its server."""
    await writing.execute(
        """update installations set state = 'ready', state_reason = '', server = $2, discovered_at = now(),
               updated_at = now(), version = version + 1
           where id = $1""",
        installation_id, dict(server),
    )  # fmt: skip


async def ask_again(writing: Writing, entry_ids: Collection[str]) -> None:
    """Mark those of these entries that are unreachable, for `control/discovery/asked_again.py`."""
    await writing.execute(
        """insert into asked_again (installation_id)
           select id from installations where entry_id = any($1::uuid[]) and state = 'unreachable'
           on conflict do nothing""",
        list(entry_ids),
    )


async def delete(writing: Writing, installation_id: str) -> None:
    """Delete the installation, with the assignments that are pinned to it."""
    await writing.execute("delete from installations where id = $1", installation_id)
