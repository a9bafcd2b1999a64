"""`/egress-presets`: destinations of servers that are written once and named by environments.

Written by `control/changes/egress_presets.py`.
"""

from control.admin.api import Asked, Operations
from control.admin.egress_preset_models import (
    EgressPresetChange,
    EgressPresetQuery,
    EgressPresetView,
    NewEgressPresetBody,
)
from control.admin.resource import one_or_404, shown
from control.changes import egress_presets as changes
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.registry.egress import EgressPreset, NewEgressPreset, told_of_preset
from control.store import egress_presets
from control.store.pool import transaction

operations = Operations("egress-presets")


@operations.get("/egress-presets")
async def list_egress_presets(asked: Asked, query: EgressPresetQuery) -> Page[EgressPresetView]:
    """List the egress presets, by name."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await egress_presets.page(connection, limit=query.fetch, after=query.place, name=query.name)
    return page_of(found, query, _view, lambda one: place_key(one.name, one.id))


@operations.post("/egress-presets")
async def create_egress_preset(asked: Asked, body: NewEgressPresetBody) -> EgressPresetView:
    """Make an egress preset, which no environment names yet."""
    async with asked.changing() as write:
        return _view(await changes.create(write, NewEgressPreset(**body.model_dump())))


@operations.get("/egress-presets/{egress_preset_id}")
async def read_egress_preset(asked: Asked, egress_preset_id: Id) -> EgressPresetView:
    """Show an egress preset."""
    async with transaction(asked.pool, readonly=True) as connection:
        return _view(one_or_404(await egress_presets.one(connection, egress_preset_id), "egress preset"))


@operations.patch("/egress-presets/{egress_preset_id}")
async def change_egress_preset(asked: Asked, egress_preset_id: Id, body: EgressPresetChange) -> EgressPresetView:
    """Change an egress preset, and so what all servers may reach whose environment names it."""
    async with asked.changing() as write:
        return _view(await changes.change(write, egress_preset_id, body.changes(), asked.version))


@operations.delete("/egress-presets/{egress_preset_id}")
async def delete_egress_preset(asked: Asked, egress_preset_id: Id) -> None:
    """Delete an egress preset that no environment names."""
    async with asked.changing() as write:
        await changes.delete(write, egress_preset_id, asked.version)


def _view(found: EgressPreset) -> EgressPresetView:
    return shown(EgressPresetView, told_of_preset(found))
