"""A strategic merge, as Kubernetes does it of a patch: maps are merged, some lists by a key of their items. Pure.

Null takes a field away; `$patch: delete` an item or a map's content; `$patch: replace`, in a map or as an item of a
list, puts what stands beside it in the place of what was there. Lists that are not in `KEYS`, such as `command`,
`envFrom` and `tolerations`, are replaced as a whole. Items that were there keep their place, new ones follow.
https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

PATCH: Final = "$patch"
KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "containers": ("name",),
        "initContainers": ("name",),
        "env": ("name",),
        "volumes": ("name",),
        "imagePullSecrets": ("name",),
        "volumeMounts": ("mountPath",),
        "ports": ("containerPort", "protocol"),
        "hostAliases": ("ip",),
        "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    }
)
"""Lists of a pod whose items are told apart by these fields."""
_WHERE_LEFT_OUT: Final = MappingProxyType({"protocol": "TCP"})


def merged(base: Any, over: Any, field: str = "") -> Any:
    """`base` with `over` merged over it; `field`: the name of what they are values of. Neither is changed."""
    if isinstance(over, dict):
        return _map(base if isinstance(base, dict) else {}, over)
    if isinstance(over, list) and field in KEYS:
        return _list(base if isinstance(base, list) else [], over, field)
    return over


def key_of(item: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """What tells this item of the list `field` apart."""
    return tuple(repr(item.get(name, _WHERE_LEFT_OUT.get(name))) for name in KEYS[field])


def _map(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    new = {} if over.get(PATCH) in {"replace", "delete"} else dict(base)
    if over.get(PATCH) == "delete":
        return new
    for name, value in over.items():
        if name == PATCH:
            continue
        if value is None:
            new.pop(name, None)
        else:
            new[name] = merged(new.get(name), value, name)
    return new


def _list(base: list[Any], over: list[Any], field: str) -> list[Any]:
    replaces = any(set(one) == {PATCH} and one[PATCH] == "replace" for one in over)
    items = {} if replaces else {key_of(one, field): one for one in base}
    for one in over:
        key = key_of(one, field)
        if set(one) == {PATCH}:
            continue
        if one.get(PATCH) == "delete":
            items.pop(key, None)
        else:
            items[key] = merged(items.get(key), one)
    return list(items.values())
