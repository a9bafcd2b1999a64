"""SQL that writes gateways. Called by `control/changes/gateways.py`, which locks the gateway's row before."""

from typing import Any, Final

from control.registry.gateway import GatewayFields
from control.store.rows import columns_of, values_of
from control.store.statements import insert_into, update_of
from control.store.writing import Writing

_COLUMNS: Final = columns_of(GatewayFields, apart={"teams", "environments"})
_INSERT: Final = insert_into("gateways", _COLUMNS)
_UPDATE: Final = update_of("gateways", _COLUMNS)


async def insert(writing: Writing, gateway_id: str, gateway: GatewayFields) -> None:
    """A new gateway; StoreConflict `gateways_slug_key`, `gateways_owner_id_fkey`, `gateway_teams_team_id_fkey` or
    `gateway_environments_environment_id_fkey`.
    """
    await writing.execute(_INSERT, gateway_id, *_values(gateway))
    await _set_teams(writing, gateway_id, gateway.teams)
    await _set_environments(writing, gateway_id, gateway.environments)


async def update(writing: Writing, gateway_id: str, gateway: GatewayFields) -> None:
    """All that a person may set, and the next version; StoreConflict as `insert`."""
    await writing.execute(_UPDATE, gateway_id, *_values(gateway))
    await _set_teams(writing, gateway_id, gateway.teams)
    await _set_environments(writing, gateway_id, gateway.environments)


async def retire_slug(writing: Writing, gateway_id: str, slug: str) -> None:
    """The gateway had this slug; whoever was given its URL by it still means this gateway."""
    await writing.execute(
        """insert into retired_slugs (slug, gateway_id) values ($1, $2)
           on conflict (slug) do update set gateway_id = excluded.gateway_id, retired_at = now()""",
        slug, gateway_id,
    )  # fmt: skip


async def delete(writing: Writing, gateway_id: str) -> None:
    """The gateway goes, with its assignments."""
    await writing.execute("delete from gateways where id = $1", gateway_id)


async def _set_teams(writing: Writing, gateway_id: str, teams: tuple[str, ...]) -> None:
    await writing.execute("delete from gateway_teams where gateway_id = $1", gateway_id)
    await writing.execute(
        "insert into gateway_teams (gateway_id, team_id) select $1, unnest($2::uuid[])",
        gateway_id,
        sorted(set(teams)),
    )


async def _set_environments(writing: Writing, gateway_id: str, environments: tuple[str, ...]) -> None:
    await writing.execute("delete from gateway_environments where gateway_id = $1", gateway_id)
    await writing.execute(
        "insert into gateway_environments (gateway_id, environment_id) select $1, unnest($2::uuid[])",
        gateway_id,
        sorted(set(environments)),
    )


def _values(gateway: GatewayFields) -> list[Any]:
    return values_of(gateway, _COLUMNS)
