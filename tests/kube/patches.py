"""The three kinds of patches of a Kubernetes API beside server-side apply, as functions of JSON values.

Merge patch: RFC 7386. JSON patch: RFC 6902. Strategic merge patch: lists whose items have a key are merged by it
(https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/).
"""

from __future__ import annotations

from typing import Any

from tests.kube.schemas import Schema, field_of, item_of, merge_key_of


class BadPatch(ValueError):
    """A patch that cannot be done."""


def merged(old: Any, patch: Any) -> Any:
    """The value after a merge patch: objects are merged, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    new = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        else:
            new[name] = merged(new.get(name), value)
    return new


def strategically_merged(old: Any, patch: Any, schema: Schema) -> Any:
    """The value after a strategic merge patch of a thing of this form."""
    if isinstance(patch, dict):
        return _merged_object(old if isinstance(old, dict) else {}, patch, schema)
    key = merge_key_of(schema)
    if isinstance(patch, list) and key:
        return _merged_list(old or [], patch, key, schema)
    return patch


def _merged_object(old: dict[str, Any], patch: dict[str, Any], schema: Schema) -> dict[str, Any]:
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    retained = patch.get("$retainKeys")
    new = {name: value for name, value in old.items() if retained is None or name in retained}
    for name, value in patch.items():
        if name.startswith("$"):  # the order of lists, which this fake leaves as it is
            continue
        if value is None:
            new.pop(name, None)
        else:
            new[name] = strategically_merged(new.get(name), value, field_of(schema, name))
    return new


def _merged_list(old: list[Any], patch: list[Any], key: str, schema: Schema) -> list[Any]:
    if any(one.get("$patch") == "replace" for one in patch):
        return [one for one in patch if one.get("$patch") != "replace"]
    items = {one.get(key): one for one in old}
    for one in patch:
        if one.get("$patch") == "delete":
            items.pop(one.get(key), None)
        else:
            items[one.get(key)] = strategically_merged(items.get(one.get(key)), one, item_of(schema))
    return list(items.values())


def json_patched(old: Any, patch: list[dict[str, Any]]) -> Any:
    """The value after a JSON patch of `add`, `remove`, `replace` and `test`; raises BadPatch."""
    new = _copy(old)
    for step in patch:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        try:
            at = new
            for part in parents:
                at = at[int(part)] if isinstance(at, list) else at[part]
            _take_step(at, last, step)
        except (KeyError, IndexError, TypeError, ValueError) as fault:
            raise BadPatch(f"{step['op']} {step['path']}: {fault}") from fault
    return new


def _take_step(at: Any, last: str, step: dict[str, Any]) -> None:
    where: Any = (len(at) if last == "-" else int(last)) if isinstance(at, list) else last
    match step["op"]:
        case "add" if isinstance(at, list):
            at.insert(where, step["value"])
        case "add":
            at[where] = step["value"]
        case "replace":
            at[where]  # what is not there cannot be replaced
            at[where] = step["value"]
        case "remove":
            del at[where]
        case "test" if at[where] == step["value"]:
            pass
        case other:
            raise ValueError(f"{other} failed")


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(one) for name, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value
