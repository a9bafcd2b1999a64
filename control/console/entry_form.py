"""The form of an entry: what the admin API takes, made of its fields, and its fields made of an entry.

Called by the pages of the registry. Of fixed headers it holds the names alone: values are sealed, and never put back.
The part about the credential is `credential_form.py`'s, that about a server that we run `server_form.py`'s, and what
its server is told of callers `statement_form.py`'s. Leaves out what may be saved.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from control.catalog.listed import CatalogServer
from control.console import server_form, statement_form
from control.console.credential_form import credential_of_form, field_of_setting, form_of_credential
from control.console.form_rows import rows_of, with_rows
from control.console.forms import Form
from control.registry.entry import Entry, told_of_entry
from control.registry.fields import as_text
from control.registry.self_hosted import SelfHosted

BLANK: Final[Mapping[str, Mapping[str, str]]] = {
    "fields": {"name": "", "type": "string", "header": "", "variable": "", "file": "", "title": "", "description": "",
               "required": "true", "default": "", "options": ""},
    "fixed_headers": {"name": "", "value": ""},
    server_form.SECRETS: server_form.BLANK_SECRET,
}  # fmt: skip
"""A row of each list before anything was typed."""
OF_THE_CLIENT: Final = "client_secret"
"""Of the entry's own client at its provider, as the admin API calls it."""
SECRET_OF: Final[Mapping[str, str]] = {"oauth": OF_THE_CLIENT, "id_jag": "id_jag-client_secret"}
"""By kind of credential, the field in which it is typed; it is never put back. Behind it, `_none` takes it away."""
_NO_SECRETS: Final = {name + more: "" for name in SECRET_OF.values() for more in ("", "_none")}
_TEXTS: Final = ("slug", "name", "description", "url", "docs_url", "isolation")
_TOLD_OF_A_FIELD: Final = ("name", "type", "header", "variable", "file", "title", "description")
_TEAM: Final = "teams."
"""Before the identifier of a team that sees it: a box to tick."""
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_OF_A_ROW: Final = re.compile(r"fixed_headers(?:\.(.+)|\[([0-9]+)\])?")


def new_entry_form() -> Form:
    """The form before anything was typed: shown to everybody, without a credential."""
    given = {
        **dict.fromkeys(_TEXTS, ""), "isolation": "principal", "labels": "", "visibility": "organisation",
        "passthrough": "true", "deadline_s": "", "team_id": "", "fixed_headers_none": "",
        "kind": "remote", "environment_id": "", **_NO_SECRETS,
    }  # fmt: skip
    given |= server_form.form_of_server(SelfHosted()) | statement_form.form_of_statement(None)
    form = Form(given | form_of_credential("none", {}))
    return with_rows(with_rows(form, "fields", []), "fixed_headers", [])


def form_of_catalog(server: CatalogServer) -> Form:
    """The form of another entry, filled in for a server of the catalog."""
    given = {name: getattr(server, name) for name in ("slug", "name", "description", "url", "docs_url")}
    given |= {"labels": "\n".join(f"{name}={value}" for name, value in server.labels.items())}
    given |= form_of_credential(server.credential_model, server.credential_placement)
    blank = BLANK["fields"]
    rows = [{name: str(one.get(name, usual)) for name, usual in blank.items()} for one in server.fields]
    return with_rows(Form({**new_entry_form().given, **given}), "fields", rows)


def form_of_entry(entry: Entry) -> Form:
    """The form of an entry as it is kept."""
    told = told_of_entry(entry)
    given = {name: told[name] for name in (*_TEXTS, "kind")} | {
        "labels": "\n".join(f"{name}={value}" for name, value in entry.labels.items()),
        "visibility": entry.visibility,
        "passthrough": "true" if entry.passthrough else "",
        "deadline_s": as_text(entry.deadline_s) if entry.deadline_s else "",
        "team_id": entry.team_id or "",
        "environment_id": entry.environment_id or "",
        "fixed_headers_none": "",
        **_NO_SECRETS,
        "version": str(entry.version),
    }
    given |= {f"{_TEAM}{one}": "true" for one in entry.teams}
    if isinstance(entry.reached, SelfHosted):
        given |= server_form.form_of_server(entry.reached)
    given |= form_of_credential(told["credential_model"], told["credential_placement"])
    given |= statement_form.form_of_statement(entry.caller_statement)
    return with_rows(Form(given), "fields", [_row(one) for one in told["fields"]])


def tidied(form: Form) -> Form:
    """The form without rows in which nothing was typed, so that the API's numbers are those of its rows, and without
    the client's secret where its kind is not chosen.
    """
    typed = form.value(SECRET_OF.get(form.value("credential_model"), ""))
    form = replace(form, given={**form.given, OF_THE_CLIENT: typed})
    fields = [row for row in rows_of(form, "fields") if any(row.get(one) for one in ("name", "header", "title"))]
    headers = [row for row in rows_of(form, "fixed_headers") if row.get("name") or row.get("value")]
    form = server_form.without_empty_rows(form)
    return with_rows(with_rows(form, "fields", fields), "fixed_headers", headers)


def made_of(form: Form, *, new: bool, mounted: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of an entry that are no single text in the form, of a form that is `tidied`. `mounted`: as
    `server_of_form` takes it. BrokenRule for a command that cannot be read.
    """
    teams = [name.removeprefix(_TEAM) for name in form.given if name.startswith(_TEAM) and form.flag(name)]
    shown: dict[str, Any] = {"teams": teams if form.value("visibility") == "teams" else []}
    headers = {row.get("name", ""): row.get("value", "") for row in rows_of(form, "fixed_headers")}
    if new or headers or form.flag("fixed_headers_none"):
        shown |= {"fixed_headers": headers}
    if form.flag(f"{SECRET_OF.get(form.value('credential_model'), '')}_none"):
        shown |= {OF_THE_CLIENT: ""}
    if "environment_id" in form.given:  # a page that does not show it leaves it as it is
        shown |= {"environment_id": form.value("environment_id") or None}
    ours = form.value("kind") == "self_hosted"
    if ours:
        shown |= _run_by_us(form, mounted)
    return shown | {
        "labels": dict(_pair(line) for line in form.lines("labels")),
        "fields": [_field(row, ours=ours) for row in rows_of(form, "fields")],
        "passthrough": form.flag("passthrough"),
        "deadline_s": _number(form.value("deadline_s") or "0"),
        "team_id": form.value("team_id") or None,
        "caller_statement": statement_form.statement_of_form(form),
        **credential_of_form(form),
    }


def form_field(form: Form, path: str) -> str:
    """The form's own name for a path of the API."""
    if found := _OF_A_ROW.fullmatch(path):
        names = [row.get("name", "").lower() for row in rows_of(form, "fixed_headers")]
        number = int(found[2]) if found[2] else names.index(found[1]) if found[1] in names else 0
        part = "value" if found[1] else "name"
        if number < len(names):
            return f"fixed_headers[{number}].{part}"
        return "Its fixed headers" if path == "fixed_headers" else path
    if path.startswith("fields[") and ".options" in path:
        return path.partition(".options")[0] + ".options"
    if path.startswith(("run.", server_form.SECRETS)):
        return server_form.form_field(form, path)
    if path.startswith("caller_statement"):
        return statement_form.form_field(path)
    if path == OF_THE_CLIENT:
        return SECRET_OF.get(form.value("credential_model"), path)
    return field_of_setting(path, form.value("credential_model"))


def _run_by_us(form: Form, mounted: tuple[str, ...]) -> dict[str, Any]:
    secrets = server_form.sealed_values(form)
    found = {"kind": "self_hosted", "url": "", "run": server_form.server_of_form(form, mounted)}
    return found if secrets is None else found | {server_form.SECRETS: secrets}


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip(), value.strip()


def _number(text: str) -> Any:
    """As JSON would have it; what is no number stays a text, of which the API says so."""
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def _row(told: Mapping[str, Any]) -> dict[str, str]:
    default = told["default"]
    return {
        **{name: told[name] for name in _TOLD_OF_A_FIELD},
        "required": "true" if told["required"] else "",
        "default": "" if default is None else as_text(default),
        "options": ", ".join(told["options"]),
    }


def _field(row: Mapping[str, str], *, ours: bool) -> dict[str, Any]:
    """One question, as the API takes it. `ours`: of a server that we run, which alone has variables and files."""
    text = row.get("default", "")
    default: Any = text or None
    if text and row.get("type") == "number":
        default = _number(text)
    if text and row.get("type") == "boolean":
        default = {"true": True, "false": False}.get(text, text)
    options = [one.strip() for one in row.get("options", "").split(",") if one.strip()]
    texts = {name: row.get(name, "") for name in _TOLD_OF_A_FIELD if ours or name not in {"variable", "file"}}
    return texts | {"required": bool(row.get("required")), "default": default, "options": options}
