"""`archway entries override`: what an override makes of the Deployment of an entry's server; nothing is saved."""

from typing import Annotated

import typer

from archway.admin.body import text_of
from archway.admin.commands import explained
from archway.admin.connection import connect
from archway.admin.entries import ENTRIES
from archway.admin.form import Form, with_form
from archway.admin.lookup import find
from archway.admin.show import show_one
from archway.options import DEFAULT_STATE, State, refuse


@ENTRIES.command("override")
@with_form
def override(
    entry: Annotated[str, typer.Argument(help="The entry's slug, name or id.")],
    file: Annotated[
        str | None,
        typer.Option("--file", help="A file with the override to try, or -; left out, the saved one."),
    ] = None,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Show what an override makes of the Deployment that runs an entry's server. Nothing is saved.

    Everything that is refused is told with its line, and ends the command with status 1. With -o yaml and --json the
    whole Deployment is shown too.

    [bold]Examples[/bold]

      archway entries override files --file files.override.yaml

      archway entries override files -o yaml
    """
    with explained():
        api = connect(state)
        path = f"/entries/{find(api, 'entry', entry)}/override/preview"
        found = api.post(path, {"override": None if file is None else text_of("--file", file)})
        if form.for_programs:
            show_one(found, form)
            return
        if found["refused"]:
            raise refuse("\n".join(_told(one) for one in found["refused"]))
        typer.echo(found["differences"] or "The override changes nothing.")


def _told(fault: dict[str, str | int | None]) -> str:
    where = "" if fault["line"] is None else f"line {fault['line']}: "
    return f"{where}{fault['path']} {fault['sentence']}".replace(":  ", ": ").strip()
