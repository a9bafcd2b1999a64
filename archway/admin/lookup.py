"""Objects by the names that people use."""

from collections.abc import Callable, Mapping
from typing import Any

from archway.admin.resource import FINDS_BY_NAME, REFERENCES
from archway.admin_client import AdminApi
from core.identifiers import is_id


class NotNamed(Exception):
    """No object, or several, go by this name."""


def find(api: AdminApi, kind: str, text: str) -> str:
    """The identifier of the object that `text` names; raises NotNamed."""
    path, names = REFERENCES[kind]
    return find_in(api, path, names, text, kind)


def find_in(
    api: AdminApi,
    path: str,
    names: tuple[str, ...],
    text: str,
    kind: str,
    see: str = "",
    *,
    spent: Callable[[Mapping[str, Any]], bool] | None = None,
) -> str:
    """The identifier of the object in one list that `text` names; `see` is the command that shows the list, `spent`
    says of which objects nobody means one while another goes by the name.
    """
    if is_id(text):
        return text
    found = list(_going_by(api, path, names, text))
    if spent is not None:
        found = [one for one in found if not spent(one)] or found[:1]
    if len(found) == 1:
        return str(found[0]["id"])
    if found:
        raise NotNamed(f"several go by {text!r}; name one by its id: {', '.join(map(_told_apart, found))}")
    see = see or f"archway {path.strip('/')} list"
    shown = " or ".join(name.replace("_", " ") for name in names)
    raise NotNamed(f"no {kind.replace('_', ' ')} has the {shown} {text!r}; see `{see}`")


def _going_by(api: AdminApi, path: str, names: tuple[str, ...], text: str) -> list[dict[str, Any]]:
    """What goes by this text: by the first of `names` that says so, or as the API itself finds it."""
    if path in FINDS_BY_NAME:
        return list(api.pages(path, name=text))
    for name in names:
        found = [one for one in api.pages(path) if str(one.get(name, "")).casefold() == text.casefold()]
        if found:
            return found
    return []


def _told_apart(one: dict[str, Any]) -> str:
    """An identifier, with whose it is where that is known."""
    whose = one.get("address") or one.get("owner")
    return f"{one['id']} ({whose})" if whose else str(one["id"])
