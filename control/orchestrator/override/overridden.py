"""A Deployment with what its entry's override says merged over it, or everything that is wrong with the override.

Called where a server's objects are made, and where an entry is saved. In three steps, each of which would do alone
for most of what could go wrong: only what the list has is said (`may_be_said.py`); what is ours is afterwards as it
was (`kept.py`); and the pod is as the profile "restricted" wants it (`restricted.py`). Pure.
"""

from typing import Any, Final

from control.orchestrator.kinds import Object
from control.orchestrator.override.faults import Fault, Faults, NotOverridden, within
from control.orchestrator.override.init_containers import completed
from control.orchestrator.override.kept import not_kept
from control.orchestrator.override.may_be_said import DEPLOYMENT
from control.orchestrator.override.merge import merged
from control.orchestrator.override.restricted import breaches
from control.orchestrator.override.together import check_together
from control.registry.override_text import read_override, says_something
from core.strict_yaml import NotStrict, Path

_TEMPLATE: Final = ("spec", "template")


def overridden(deployment: Object, text: str) -> Object:
    """The Deployment as the override makes it; the very same where that says nothing. Raises NotOverridden."""
    if not (override := said(text, deployment)):
        return deployment
    made = completed(merged(deployment, override), deployment)
    template = made["spec"]["template"]
    found = breaches(template["spec"], template["metadata"].get("annotations") or {})
    if faults := [*not_kept(deployment, made), *within((*_TEMPLATE, "spec"), found)]:
        raise NotOverridden(faults)
    return made


def said(text: str, deployment: Object | None = None) -> dict[str, Any]:
    """What an override says, {} for nothing. Raises NotOverridden for what may not be said."""
    if not says_something(text):
        return {}
    lines: dict[Path, int] = {}
    try:
        override = read_override(text, lines)
    except NotStrict as why:
        raise NotOverridden([Fault("", why.why, why.line)]) from None
    faults = Faults(lines)
    DEPLOYMENT(override, (), faults)
    if deployment is not None and not faults.found and isinstance(override, dict):
        check_together(override, deployment, faults)
    if faults.found or not isinstance(override, dict):
        raise NotOverridden(faults.found)
    return override
