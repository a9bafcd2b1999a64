"""Server-side apply: who owns which field of an object, and what an apply makes of it.

A manager owns what it applied last. What it no longer names goes, unless another owns it too; what another owns with
another value is a conflict, unless the apply is forced. A write that is no apply takes the fields that it changes
(https://kubernetes.io/docs/reference/using-api/server-side-apply/).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.kube.schemas import Schema, field_of, is_one_value, item_of, keys_of

Step = str | tuple[tuple[str, Any], ...]
Path = tuple[Step, ...]
Owners = dict[tuple[str, str], frozenset[Path]]
"""What each (manager, operation) owns."""
DEFAULTS_OF_KEYS = {"protocol": "TCP"}


class Conflict(Exception):
    """Others own fields that an apply would change: each with who."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__(fields)
        self.fields = fields


def _step(keys: tuple[str, ...], item: dict[str, Any]) -> Step:
    return tuple((key, item.get(key, DEFAULTS_OF_KEYS.get(key))) for key in keys)


def paths_of(value: Any, schema: Schema, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field that a value sets, and every item of a list whose items have keys."""
    if isinstance(value, dict) and value and not is_one_value(schema):
        for name, one in value.items():
            yield from paths_of(one, field_of(schema, name), (*at, name))
    elif isinstance(value, list) and value and (keys := keys_of(schema)):
        for one in value:
            there = (*at, _step(keys, one))
            yield there, None
            yield from paths_of(one, item_of(schema), there)
    else:
        yield at, value


def value_at(thing: Any, path: Path) -> Any:
    """The value at a path; None where there is none."""
    for step in path:
        if isinstance(step, tuple):
            found = (one for one in thing or () if all(one.get(k, DEFAULTS_OF_KEYS.get(k)) == v for k, v in step))
            thing = next(found, None)
        else:
            thing = thing.get(step) if isinstance(thing, dict) else None
        if thing is None:
            return None
    return thing


def _without(thing: Any, path: Path) -> None:
    """Take a path out of a value that is ours to change; a map or list that is empty by this goes too."""
    if len(path) > 1:
        parent = value_at(thing, path[:-1])
        if parent is None:
            return
    else:
        parent = thing
    last = path[-1]
    if isinstance(last, tuple):
        parent[:] = [one for one in parent if any(one.get(k, DEFAULTS_OF_KEYS.get(k)) != v for k, v in last)]
    else:
        parent.pop(last, None)
    if not parent and len(path) > 1 and not isinstance(path[-2], tuple):
        _without(thing, path[:-1])


def _laid_over(old: Any, config: Any, schema: Schema) -> Any:
    if isinstance(config, dict) and isinstance(old, dict) and not is_one_value(schema):
        both = {name: _laid_over(old.get(name), one, field_of(schema, name)) for name, one in config.items()}
        return old | both
    keys = keys_of(schema)
    if isinstance(config, list) and isinstance(old, list) and keys:
        items = {_step(keys, one): one for one in old}
        for one in config:
            step = _step(keys, one)
            items[step] = _laid_over(items.get(step), one, item_of(schema))
        return list(items.values())
    return _copied(config)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(one) for name, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def applied(
    old: dict[str, Any] | None, config: dict[str, Any], owners: Owners, manager: str, schema: Schema, *, force: bool
) -> tuple[dict[str, Any], Owners]:
    """The object and the owners after `manager` applied `config`; raises Conflict."""
    me, wanted = (manager, "Apply"), dict(paths_of(config, schema))
    others = {who: paths for who, paths in owners.items() if who != me}
    if old is not None:
        lost = {
            path: who
            for who, paths in others.items()
            for path in paths & wanted.keys()
            if not isinstance(path[-1], tuple) and value_at(old, path) != wanted[path]
        }
        if lost and not force:
            raise Conflict([(written(path), who[0]) for path, who in lost.items()])
        others = {who: paths - lost.keys() for who, paths in others.items()}
    new = _laid_over(_copied(old or {}), config, schema)
    elsewhere = frozenset[Path]().union(*others.values())
    for path in sorted(owners.get(me, frozenset()) - wanted.keys(), key=len):
        if not any(theirs[: len(path)] == path for theirs in elsewhere):
            _without(new, path)
    return new, {who: paths for who, paths in others.items() if paths} | {me: frozenset(wanted)}


def updated(old: dict[str, Any], new: dict[str, Any], owners: Owners, manager: str, schema: Schema) -> Owners:
    """The owners after a write that is no apply: what changed is the writer's alone."""
    before, after = dict(paths_of(old, schema)), dict(paths_of(new, schema))
    changed = frozenset(path for path, value in after.items() if path not in before or before[path] != value)
    gone = before.keys() - after.keys()
    me = (manager, "Update")
    left = {who: paths - changed - gone for who, paths in owners.items()}
    left[me] = left.get(me, frozenset()) | changed
    return {who: paths for who, paths in left.items() if paths}


def written(path: Path) -> str:
    """A path as the API names it in a conflict: `.spec.template.spec.containers[name="server"].image`."""
    text = ""
    for step in path:
        text += f".{step}" if isinstance(step, str) else f"[{','.join(f'{k}={_quoted(v)}' for k, v in step)}]"
    return text


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
