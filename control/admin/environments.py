"""`/environments`: where entries are put, and which of these places are restricted.

Written by `control/changes/environments.py`. An entry names its environment itself (`entries.py`).
"""

from collections.abc import Sequence
from functools import partial

import msgspec

from control.admin.api import Asked, Operations
from control.admin.enforcement_models import EnforcementView
from control.admin.environment_models import (
    EgressBody,
    EnvironmentChange,
    EnvironmentQuery,
    EnvironmentUsage,
    EnvironmentView,
    NewEnvironment,
    QuotaBody,
    TeamUsage,
)
from control.admin.resource import one_or_404, shown
from control.admin.run_models import ResourcesBody
from control.changes import environments as changes
from control.changes.egress_probes import probe_again
from control.changes.visible import seen_entries
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.registry import environment, held_hosts
from control.registry.enforcement import Enforcement
from control.registry.environment import told_of_environment
from control.registry.owner import TeamOwner
from control.registry.partial import environment_with
from control.registry.usage import cpu_told, memory_told
from control.store import enforcement, entries, environments, usage
from control.store.pool import Connection, transaction

operations = Operations("environments")


@operations.get("/environments")
async def list_environments(asked: Asked, query: EnvironmentQuery) -> Page[EnvironmentView]:
    """List the environments, by name."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await environments.page(connection, limit=query.fetch, after=query.place, name=query.name)
        views = await _views(asked, connection, found)
    return page_of(found, query, lambda one: views[one.id], lambda one: place_key(one.name, one.id))


@operations.post("/environments")
async def create_environment(asked: Asked, body: NewEnvironment) -> EnvironmentView:
    """Make an environment, which nothing is in yet."""
    async with asked.changing() as write:
        wanted = msgspec.convert(body.model_dump(), environment.NewEnvironment)
        made = await changes.create(write, asked.deps.safeguards, wanted)
        return await _shown(asked, write.connection, made)


@operations.get("/environments/{environment_id}")
async def read_environment(asked: Asked, environment_id: Id) -> EnvironmentView:
    """Show an environment."""
    async with transaction(asked.pool, readonly=True) as connection:
        return await _shown(asked, connection, await _found(connection, environment_id))


@operations.get("/environments/{environment_id}/usage")
async def read_usage(asked: Asked, environment_id: Id) -> EnvironmentUsage:
    """Show how much of an environment's quota is used, by team."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await _found(connection, environment_id)
        teams = await usage.of_environment(connection, found)
    items = [
        TeamUsage(
            team_id=one.team_id, team=one.team, servers=one.usage.servers,
            cpu=cpu_told(one.usage.cpu), memory=memory_told(one.usage.memory),
        )
        for one in teams
        if one.team_id is None or asked.caller.may_for("team:read", TeamOwner(one.team_id))
    ]  # fmt: skip
    return EnvironmentUsage(quota=QuotaBody.model_construct(**told_of_environment(found)["quota"]), items=items)


@operations.patch("/environments/{environment_id}")
async def change_environment(asked: Asked, environment_id: Id, body: EnvironmentChange) -> EnvironmentView:
    """Change an environment.

    The servers of the entries that are in it are looked at again. `shut_out` names the entries whose servers run
    elsewhere, at a host that its policy does not allow any more: those that one may see.
    """
    async with asked.changing() as write:
        wanted = partial(environment_with, given=body.changes())
        changed = await changes.change(write, asked.deps.safeguards, environment_id, wanted, asked.version)
        return await _shown(asked, write.connection, changed)


@operations.post("/environments/{environment_id}/probe", status=200)
async def probe_environment(asked: Asked, environment_id: Id) -> EnvironmentView:
    """Have what its egress policy says be probed now, in a minute or two; `probed_at` says which probe is told."""
    async with transaction(asked.pool) as connection:
        found = await probe_again(connection, environment_id, asked.deps.place)
        return await _shown(asked, connection, found)


@operations.delete("/environments/{environment_id}")
async def delete_environment(asked: Asked, environment_id: Id) -> None:
    """Delete an environment that no entry is in. A restricted one needs `environment:deploy-to-restricted`."""
    async with asked.changing() as write:
        await changes.delete(write, environment_id, asked.version)


async def _found(connection: Connection, environment_id: str) -> environment.Environment:
    return one_or_404(await environments.one(connection, environment_id), "environment")


async def _shown(asked: Asked, connection: Connection, found: environment.Environment) -> EnvironmentView:
    return (await _views(asked, connection, [found]))[found.id]


async def _views(
    asked: Asked, connection: Connection, found: Sequence[environment.Environment]
) -> dict[str, EnvironmentView]:
    inside = await entries.remote_in(connection, [one.id for one in found])
    shut = [one for one in seen_entries(inside, asked.caller) if held_hosts.shut_out(one)]
    seen = await enforcement.shown_of(connection, found, asked.deps.place)
    return {
        one.id: _view(one, [entry.slug for entry in shut if entry.environment_id == one.id], seen[one.id])
        for one in found
    }


def _view(found: environment.Environment, shut_out: list[str], seen: Sequence[Enforcement]) -> EnvironmentView:
    told = told_of_environment(found)
    return shown(
        EnvironmentView,
        told,
        egress=told["egress"] and EgressBody.model_construct(**told["egress"]),
        resources=told["resources"] and ResourcesBody.model_construct(**told["resources"]),
        quota=QuotaBody.model_construct(**told["quota"]),
        shut_out=shut_out,
        enforcement=[shown(EnforcementView, one) for one in seen],
    )
