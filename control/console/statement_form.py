"""The part of an entry's form that says what its server is told of callers: nothing, a statement, or plain headers.

Called by `entry_form.py`. Leaves out what may be saved (`control/registry/caller_statement.py`).
"""

from typing import Any, Final, get_args

from control.console.forms import Form
from control.registry.caller_statement import CallerStatement, Told

TOLD: Final[tuple[Told, ...]] = get_args(Told)
_FORM: Final = "statement-form"
_FIELD: Final = "caller_statement"


def form_of_statement(statement: CallerStatement | None) -> dict[str, str]:
    """The fields of the form, as they are for what an entry keeps."""
    kept = statement or CallerStatement()
    ticked = kept.tells if kept.form == "jwt" else ()
    return {
        _FORM: "none" if statement is None or not (kept.headers or kept.form == "jwt") else kept.form,
        "statement-header": kept.header,
        "statement-request_id_header": kept.request_id_header,
        **{f"statement-tells-{told}": "true" if told in ticked else "" for told in TOLD},
        **{f"statement-headers-{told}": kept.headers.get(told, "") for told in TOLD},
    }


def statement_of_form(form: Form) -> dict[str, Any] | None:
    """What the admin API takes."""
    chosen, identifier = form.value(_FORM), form.value("statement-request_id_header").strip()
    if chosen not in {"jwt", "headers"}:
        return {"form": "headers", "request_id_header": identifier} if identifier else None
    found: dict[str, Any] = {"form": chosen, "request_id_header": identifier}
    if chosen == "headers":
        named = {told: form.value(f"statement-headers-{told}").strip() for told in TOLD}
        return found | {"headers": {told: name for told, name in named.items() if name}}
    tells = ("subject", *(told for told in TOLD if told != "subject" and form.flag(f"statement-tells-{told}")))
    return found | {"header": form.value("statement-header").strip(), "tells": tells}


def form_field(path: str) -> str:
    """The form's own name for a path of the API below `caller_statement`."""
    inside = path.removeprefix(_FIELD).strip(".")
    return f"statement-{inside.replace('.', '-')}" if inside and inside != "headers" else _FORM
