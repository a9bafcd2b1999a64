"""What an override makes of a Deployment, for whoever writes it: the whole, what differs, what is wrong. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Final

from control.orchestrator.kinds import Object
from control.orchestrator.override.faults import Fault, Faults, NotOverridden
from control.orchestrator.override.overridden import overridden
from control.registry.override_fence import OutOfPlace
from control.registry.override_text import pod_said
from core.strict_yaml import Path, write_yaml

_AROUND: Final = 3
"""Lines shown around each difference."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would run, and what an override changes of that."""

    merged: str
    """The Deployment as YAML: with the override, or without it where something is wrong."""
    differences: str
    """From what it is without the override, as a unified diff; '' for none."""
    faults: tuple[Fault, ...]
    """In the order of its lines."""


def preview(deployment: Object, text: str, elsewhere: Sequence[OutOfPlace] = ()) -> Preview:
    """What the override makes of it; `elsewhere`: what of it leads out of the entry's environment."""
    made, found = deployment, list[Fault]()
    try:
        made = overridden(deployment, text)
    except NotOverridden as why:
        found += why.faults
    found += _told(text, elsewhere)
    before = write_yaml(deployment)
    after = before if found else write_yaml(made)
    lines = unified_diff(
        before.splitlines(), after.splitlines(), "without the override", "with the override", lineterm="", n=_AROUND
    )
    return Preview(after, "\n".join(lines), tuple(sorted(found, key=lambda one: one.line or 0)))


def _told(text: str, elsewhere: Sequence[OutOfPlace]) -> list[Fault]:
    lines: dict[Path, int] = {}
    if elsewhere:
        pod_said(text, lines)
    faults = Faults(lines)
    for one in elsewhere:
        faults.add(one.path, one.sentence)
    return faults.found
