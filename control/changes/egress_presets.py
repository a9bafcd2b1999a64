"""Changes of egress presets: destinations that environments name. Proxies hold nothing of them by themselves; servers
and remote entries of the environments that name one are looked at again after each change.
"""

from collections.abc import Mapping
from typing import Any

from control.changes.enforceable_egress import check_preset_enforceable
from control.changes.held_entries import held_now
from control.changes.refusals import NotNow, NotThere, refuse_stale
from control.changes.write import Write
from control.registry.actions import Action
from control.registry.egress import EgressPreset, NewEgressPreset, settable, told_of_preset
from control.registry.egress_preset_rules import check_preset
from control.store import egress_presets
from control.store.writes import egress_presets as rows


async def create(write: Write, wanted: NewEgressPreset) -> EgressPreset:
    """Make a preset, which nothing names yet. BrokenRule; NotAllowed; StoreConflict `egress_presets_name`."""
    write.refuse_without("egress_preset:create")
    checked = check_preset(wanted)
    await check_preset_enforceable(write, checked)
    made = await rows.insert(write, checked)
    await write.announce()
    await write.record("create", "egress_preset", made.id, None, told_of_preset(made))
    return made


async def change(write: Write, preset_id: str, wanted: Mapping[str, Any], version: int | None = None) -> EgressPreset:
    """Give it what `wanted` names, and so all environments that name it. Raises as `create`."""
    before = await _locked(write, preset_id, "egress_preset:update", version)
    checked = check_preset(NewEgressPreset(**{**settable(before), **wanted}))
    await check_preset_enforceable(write, checked)
    after = await rows.update(write, preset_id, checked)
    now = await held_now(write, await egress_presets.environment_ids(write.connection, preset_id))
    await write.announce(entries=now.entries, installations_over=now.installations_over)
    told = told_of_preset(after) | ({"shut_out": now.shut_out} if now.shut_out else {})
    await write.record("update", "egress_preset", preset_id, told_of_preset(before), told)
    return after


async def delete(write: Write, preset_id: str, version: int | None = None) -> None:
    """Delete one that no environment names; NotNow for another."""
    before = await _locked(write, preset_id, "egress_preset:delete", version)
    naming = await egress_presets.environments_naming(write.connection, preset_id)
    if naming:
        raise NotNow(f"The environments {', '.join(naming)} name this preset. Take it out of them first.")
    await rows.delete(write, preset_id)
    await write.announce()
    await write.record("delete", "egress_preset", preset_id, told_of_preset(before), None)


async def _locked(write: Write, preset_id: str, action: Action, version: int | None) -> EgressPreset:
    found = await egress_presets.one(write.connection, preset_id, lock=True)
    if found is None:
        raise NotThere("egress preset")
    write.refuse_without(action)
    refuse_stale(version, found.version)
    return found
