"""Where an override may not lead: to nodes of a restricted environment, away from those of its own, to other images.
Pure.

Called when an entry is saved and before its server runs, as environments change under an entry. Whose node a pod gets
is said by node selectors and tolerations; two environments that say nothing of nodes share them.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from control.registry.environment import Environment, NewEnvironment
from control.registry.image_sources import is_from, not_from
from control.registry.override_text import POD, items_said, pod_said
from core.strict_yaml import Path

_NODES: Final = "nodeSelector"
_TAINTS: Final = "tolerations"


class OutOfPlace(NamedTuple):
    """One thing in an override that leads elsewhere."""

    path: Path
    sentence: str


def out_of_place(text: str, own: Environment | None, restricted: Sequence[Environment]) -> list[OutOfPlace]:
    """What of an override does not go with the environment of its entry. `restricted`: all that are."""
    pod = pod_said(text)
    found = [*_images(pod, own)]
    if own is not None and own.restricted:
        found += _away(pod, own)
    for other in restricted:
        if own is None or other.id != own.id:
            found += _into(pod, other)
    return found


def leads_to_nodes(own: NewEnvironment, other: Environment) -> bool:
    """Whether servers of one environment would get to nodes that are another's, by what an override may not say."""
    pod = {_NODES: dict(own.node_selector), _TAINTS: [*own.tolerations]}
    return next(_into(pod, other), None) is not None


def _images(pod: dict[str, Any], own: Environment | None) -> Iterator[OutOfPlace]:
    for number, one in enumerate(items_said(pod, "initContainers")):
        image = one.get("image")
        if own is not None and isinstance(image, str) and not is_from(image, own.image_registries):
            path = (*POD, "initContainers", number, "image")
            yield OutOfPlace(path, not_from(own.name, own.image_registries))


def _away(pod: dict[str, Any], own: Environment) -> Iterator[OutOfPlace]:
    """A restricted environment says where its servers run, and nobody else does."""
    said = pod.get(_NODES)
    for name in said if isinstance(said, dict) else ():
        if own.node_selector and (name == "$patch" or name in own.node_selector):
            yield OutOfPlace((*POD, _NODES, name), f"is said by the restricted environment {own.name!r}")
    if own.tolerations and _TAINTS in pod:
        yield OutOfPlace((*POD, _TAINTS), f"are said by the restricted environment {own.name!r}")


def _into(pod: dict[str, Any], other: Environment) -> Iterator[OutOfPlace]:
    why = f"leads to nodes of the restricted environment {other.name!r}, which the entry is not in"
    said = pod.get(_NODES)
    for name, value in said.items() if isinstance(said, dict) else ():
        if value is not None and other.node_selector.get(name) == value:  # null takes one away
            yield OutOfPlace((*POD, _NODES, name), why)
    theirs = [
        one.get("key") or "" for one in other.tolerations
    ]  # compared, as no hash is of a list that somebody writes for a key
    for number, one in enumerate(items_said(pod, _TAINTS)):
        # One without a key tolerates every taint, so that each may be that of its nodes.
        key = one.get("key") or ""
        if theirs and (not key or "" in theirs or key in theirs):
            yield OutOfPlace((*POD, _TAINTS, number), why)
