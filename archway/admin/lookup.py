"""Objects by the names that people use."""

from archway.admin.resource import REFERENCES
from archway.admin_client import AdminApi
from core.identifiers import is_id


class NotNamed(Exception):
    """No object, or several, go by this name."""


def find(api: AdminApi, kind: str, text: str) -> str:
    """The identifier of the object that `text` names; raises NotNamed."""
    path, names = REFERENCES[kind]
    return find_in(api, path, names, text, kind)


def find_in(api: AdminApi, path: str, names: tuple[str, ...], text: str, kind: str, see: str = "") -> str:
    """The identifier of the object in one list that `text` names; `see` is the command that shows the list."""
    if is_id(text):
        return text
    for name in names:
        found = [one for one in api.pages(path) if str(one.get(name, "")).casefold() == text.casefold()]
        if len(found) == 1:
            return str(found[0]["id"])
        if found:
            ids = ", ".join(str(one["id"]) for one in found)
            raise NotNamed(f"several go by the {name} {text!r}; name one by its id: {ids}")
    see = see or f"archway {path.strip('/')} list"
    shown = " or ".join(name.replace("_", " ") for name in names)
    raise NotNamed(f"no {kind} has the {shown} {text!r}; see `{see}`")
