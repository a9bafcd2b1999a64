"""SQL that reads environments, and which entries are in one. Written in `writes/environments.py`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from control.registry.egress import Egress, NewEgressPreset, rules_of
from control.registry.environment import Environment
from control.store import egress_presets
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, listed, place_of
from core.egress.held import Held
from core.egress.rules import EgressRules

COLUMNS: Final = columns_of(Environment, apart={"presets"})
_SELECT: Final = f"""
    select {listed(COLUMNS)}, array(select p.preset_id from environment_presets p
        where p.environment_id = environments.id order by p.preset_id) as presets
    from environments """
POLICY_OF_ENTRY: Final = """
    (select jsonb_build_object('name', v.name, 'egress', v.egress, 'presets', array(
            select to_jsonb(s) from environment_presets p join egress_presets s on s.id = p.preset_id
            where p.environment_id = v.id order by s.id))
        from environments v where v.id = e.environment_id and v.egress is not null)"""
"""The policy of the environment of an entry `e`, as `held_by_policy` reads it; null for none."""


async def one(connection: Connection, environment_id: str, *, lock: bool = False) -> Environment | None:
    """The environment with this identifier; locked for a change of it, or of what is in it."""
    if lock:
        # By itself: a statement that waited for the lock would see the presets of before.
        await connection.execute("select from environments where id = $1 for update", environment_id)
    row = await connection.fetchrow(_SELECT + "where id = $1", environment_id)
    return None if row is None else made(Environment, row)


async def page(
    connection: Connection, *, limit: int, after: Place | None, name: str | None = None
) -> list[Environment]:
    """Environments by name, behind `after`."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "name", "id")} and ($4::text is null or lower(name) = lower($4))
              {in_order("name", "id")} limit $1""",
        limit, *place_of(after), name,
    )  # fmt: skip
    return [made(Environment, row) for row in rows]


async def of_entries(connection: Connection, entry_ids: Collection[str]) -> dict[str, Environment]:
    """The environments that these entries are in, by entry; none of one that is in none."""
    rows = await connection.fetch(
        "select id, environment_id from entries where id = any($1::uuid[]) and environment_id is not null",
        list(entry_ids),
    )
    named = {row["environment_id"] for row in rows}
    there = await connection.fetch(_SELECT + "where id = any($1::uuid[])", list(named))
    found = {row["id"]: made(Environment, row) for row in there}
    return {row["id"]: found[row["environment_id"]] for row in rows if row["environment_id"] in found}


async def with_a_policy(connection: Connection) -> list[Environment]:
    """Those that say what their servers may reach."""
    rows = await connection.fetch(_SELECT + "where egress is not null order by id")
    return [made(Environment, row) for row in rows]


async def restricted(connection: Connection) -> list[Environment]:
    """All environments that are restricted, by name."""
    return [made(Environment, row) for row in await connection.fetch(_SELECT + "where restricted order by name")]


def held_by_policy(policy: Mapping[str, Any] | None) -> Held | None:
    """What `POLICY_OF_ENTRY` found, its presets looked up; None where it allows everything."""
    if policy is None:
        return None
    presets = [made(NewEgressPreset, one) for one in policy["presets"]]
    found = rules_of(msgspec.convert(policy["egress"], Egress), presets)
    return None if found.mode == "all" else Held(found, policy["name"])


async def rules(connection: Connection, environment: Environment | None) -> EgressRules:
    """What the servers of an environment may reach, its presets looked up; of none, everything."""
    if environment is None:
        return EgressRules()
    return (await rules_by_id(connection, [environment]))[environment.id]


async def rules_by_id(connection: Connection, found: Sequence[Environment]) -> dict[str, EgressRules]:
    """The same of each of these environments, by their identifiers. A preset that is there no more allows nothing."""
    named = {preset_id for one in found for preset_id in one.presets}
    presets = {one.id: one for one in await egress_presets.many(connection, named)} if named else {}
    return {one.id: rules_of(one.egress, [presets[each] for each in one.presets if each in presets]) for one in found}
