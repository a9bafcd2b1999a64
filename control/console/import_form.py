"""The form in which what a client is configured with becomes entries: its servers as rows, each added or not.

    servers[0].add, .name, .slug, .url   what a person sees and changes; no URL of one that Archway would run
    servers[0].entry                     the rest of the entry, as JSON, which comes back as it was sent
    left[0].name, .why                   servers that can be no entry

The text of the file is read once and never put back: it may hold keys. What comes back is judged as any body of the
admin API is. Called by `pages/import_config.py`. Leaves out how a file is read (`control/catalog/client_config.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from control.catalog.client_config import Proposal, proposals
from control.catalog.listed import CatalogServer
from control.console.credential_form import kind_label
from control.console.form_rows import rows_of, with_rows
from control.console.forms import Form
from control.console.server_form import typed_command
from control.http.forms import MAX_FORM
from control.registry.broken_rule import BrokenRule

CONFIG: Final = "config"
"""The field for the text of the file."""
MOST: Final = 60
"""Servers of one form, each with a few fields."""
_ROOM: Final = 4 << 10
"""Bytes of a form that are left for what a person changes in it."""
_SEEN: Final[tuple[str, ...]] = ("name", "slug", "url")
_SERVERS: Final = "servers"
_LEFT: Final = "left"


@dataclass(frozen=True, slots=True)
class Row:
    """A server of the file that could be added."""

    path: str
    """Of its fields in the form: `servers[2].`."""
    called: str
    kind: str
    """Of its credential, as it is called."""
    asks: tuple[str, ...]
    """What is asked of whoever installs it, each in words."""
    notes: str
    command: str
    """Of one that Archway would run; '' for one that has a URL."""


def read_file(form: Form, known: tuple[CatalogServer, ...]) -> Form:
    """The form with the servers of the file as rows, and without its text. BrokenRule for the field `config`."""
    found = proposals(_parsed(form.value(CONFIG)), known)
    made = with_rows(form, _SERVERS, [_row(one) for one in found if one.entry is not None])
    left = [{"name": one.name, "why": _why(one)} for one in found if one.entry is None]
    made = without_file(with_rows(made, _LEFT, left))
    if len(found) > MOST or len(urlencode(made.given)) > MAX_FORM - _ROOM:
        raise BrokenRule(CONFIG, "has too many servers for this page; archway entries import reads up to 100")
    return made


def without_file(form: Form) -> Form:
    """The form without the text of the file, which may hold keys."""
    return replace(form, given={**form.given, CONFIG: ""})


def rows(form: Form) -> list[Row]:
    """The servers that could be added, as the page shows them."""
    return [_shown(number, row) for number, row in enumerate(rows_of(form, _SERVERS))]


def left_out(form: Form) -> list[dict[str, str]]:
    """The servers that can be no entry, with `name` and `why`."""
    return rows_of(form, _LEFT)


def bodies(form: Form) -> Iterator[tuple[int, dict[str, Any]]]:
    """Of each server that is ticked, its number and the body of its entry, as `POST /entries` takes it."""
    for number, row in enumerate(rows_of(form, _SERVERS)):
        if row.get("add"):
            yield number, _carried(row) | {name: row[name] for name in _SEEN if name in row}


def field_of(form: Form, number: int, path: str) -> str:
    """The form's own name for what the API says of the entry of this server."""
    if path.partition(".")[0] in _SEEN:
        return f"{_SERVERS}[{number}].{path}"
    return path if path in form.given else f"{form.value(f'{_SERVERS}[{number}].name')}: {path}"


def _parsed(text: str) -> Mapping[str, Any]:
    if not text:
        raise BrokenRule(CONFIG, "is needed: paste it here")
    try:
        config = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        sentence = f"is not JSON: look at line {error.lineno}, column {error.colno}. It must have no comments"
        raise BrokenRule(CONFIG, sentence) from None
    if not isinstance(config, dict):
        raise BrokenRule(CONFIG, "must be an object, in braces, as clients' mcp.json is")
    return config


def _row(one: Proposal) -> dict[str, str]:
    entry = dict(one.entry or {})
    if not entry["url"]:
        entry.pop("url")
    seen = {name: str(entry.pop(name)) for name in _SEEN if name in entry}
    return {"add": "true", **seen, "entry": orjson.dumps(entry).decode(), "notes": " ".join(one.notes)}


def _why(one: Proposal) -> str:
    """Why it is left out, under a heading that says that it is."""
    why = " ".join(one.notes).removeprefix("Left out: ")
    return why[:1].upper() + why[1:]


def _shown(number: int, row: Mapping[str, str]) -> Row:
    entry = _carried(row)
    kind = str(entry.get("credential_model", "none"))
    fields = entry.get("fields")
    asks = tuple(_asked(one) for one in fields if isinstance(one, dict)) if isinstance(fields, list) else ()
    run = entry.get("run")
    command = typed_command(run.get("command")) if isinstance(run, dict) else ""
    return Row(f"{_SERVERS}[{number}].", row.get("name", ""), kind_label(kind), asks, row.get("notes", ""), command)


def _asked(one: Mapping[str, Any]) -> str:
    name = str(one.get("title") or one.get("name"))
    if one.get("type") == "secret":
        return f"{name} (secret)"
    return f"{name} (usually {one['default']})" if "default" in one else name


def _carried(row: Mapping[str, str]) -> dict[str, Any]:
    """What came back of an entry; nothing where a person wrote something else there."""
    text = row.get("entry", "")
    try:
        found = orjson.loads(text) if "\\u0000" not in text else None
    except orjson.JSONDecodeError:
        found = None
    return found if isinstance(found, dict) else {}
