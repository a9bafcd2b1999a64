"""That the cluster in which servers run can enforce an egress policy, before it is saved.

Asked by the changes of environments and of presets. A cluster changes without asking anybody: each look at a server
judges again (`control/orchestrator/egress/policies.py`).
"""

from collections.abc import Iterable

from control.changes.write import Write
from control.registry.broken_rule import BrokenRule
from control.registry.egress import EgressPreset, NewEgressPreset
from control.registry.egress_providers import ClusterFound, why_not
from control.registry.environment import NewEnvironment
from control.store import cluster_capabilities, egress_presets
from core.egress.rules import Allowed


async def check_enforceable(write: Write, wanted: NewEnvironment, before: NewEnvironment | None) -> None:
    """BrokenRule where the cluster cannot enforce what the servers of an environment may reach; of what stays as it
    was, nothing is said.
    """
    unchanged = before is not None and (before.egress, before.presets) == (wanted.egress, wanted.presets)
    if unchanged or wanted.egress is None or wanted.egress.mode != "restricted":
        return
    found = await cluster_capabilities.found(write.connection)
    if found is None:
        return
    _refuse(found, wanted.egress.destinations, "egress.")
    _check_presets(found, await egress_presets.many(write.connection, wanted.presets, lock=True))


async def check_preset_enforceable(write: Write, wanted: NewEgressPreset) -> None:
    """BrokenRule where the cluster cannot enforce what a preset names."""
    found = await cluster_capabilities.found(write.connection)
    if found is not None:
        _refuse(found, wanted.destinations, "")


def _check_presets(found: ClusterFound, presets: Iterable[EgressPreset]) -> None:
    for preset in presets:
        if reason := why_not(found, preset.destinations):
            field, sentence = reason
            raise BrokenRule("presets", f"{preset.name!r} names {field} that cannot be held: {sentence}")


def _refuse(found: ClusterFound, allowed: Allowed, where: str) -> None:
    if reason := why_not(found, allowed):
        field, sentence = reason
        raise BrokenRule(where + field, f"cannot be held where servers run: {sentence}")
