"""`/environments`: where entries are put, and which of these places are restricted.

Written by `control/changes/environments.py`. An entry names its environment itself (`entries.py`).
"""

from functools import partial

import msgspec

from control.admin.api import Asked, Operations
from control.admin.environment_models import (
    EgressBody,
    EnvironmentChange,
    EnvironmentQuery,
    EnvironmentView,
    NewEnvironment,
    QuotaBody,
)
from control.admin.resource import one_or_404, shown
from control.admin.run_models import ResourcesBody
from control.changes import environments as changes
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.registry import environment
from control.registry.environment import told_of_environment
from control.registry.partial import environment_with
from control.store import environments
from control.store.pool import transaction

operations = Operations("environments")


@operations.get("/environments")
async def list_environments(asked: Asked, query: EnvironmentQuery) -> Page[EnvironmentView]:
    """List the environments, by name."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await environments.page(connection, limit=query.fetch, after=query.place, name=query.name)
    return page_of(found, query, _view, lambda one: place_key(one.name, one.id))


@operations.post("/environments")
async def create_environment(asked: Asked, body: NewEnvironment) -> EnvironmentView:
    """Make an environment, which nothing is in yet."""
    async with asked.changing() as write:
        wanted = msgspec.convert(body.model_dump(), environment.NewEnvironment)
        made = await changes.create(write, asked.deps.safeguards, wanted)
    return _view(made)


@operations.get("/environments/{environment_id}")
async def read_environment(asked: Asked, environment_id: Id) -> EnvironmentView:
    """Show an environment."""
    async with transaction(asked.pool, readonly=True) as connection:
        return _view(one_or_404(await environments.one(connection, environment_id), "environment"))


@operations.patch("/environments/{environment_id}")
async def change_environment(asked: Asked, environment_id: Id, body: EnvironmentChange) -> EnvironmentView:
    """Change an environment. The servers of the entries that are in it are looked at again."""
    async with asked.changing() as write:
        wanted = partial(environment_with, given=body.changes())
        return _view(await changes.change(write, asked.deps.safeguards, environment_id, wanted, asked.version))


@operations.delete("/environments/{environment_id}")
async def delete_environment(asked: Asked, environment_id: Id) -> None:
    """Delete an environment that no entry is in."""
    async with asked.changing() as write:
        await changes.delete(write, environment_id, asked.version)


def _view(found: environment.Environment) -> EnvironmentView:
    told = told_of_environment(found)
    return shown(
        EnvironmentView,
        told,
        egress=told["egress"] and EgressBody.model_construct(**told["egress"]),
        resources=told["resources"] and ResourcesBody.model_construct(**told["resources"]),
        quota=QuotaBody.model_construct(**told["quota"]),
    )
