"""The catalog of well-known servers on the command line, and entries made of it or of a client's `mcp.json`."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from archway.admin.commands import explained
from archway.admin.connection import connect
from archway.admin.entries import ENTRIES
from archway.admin.form import Form, with_form
from archway.admin.show import show_list, show_one
from archway.options import DEFAULT_STATE, State, refuse

__all__ = ["ENTRIES"]


@ENTRIES.command("catalog")
@with_form
def catalog(
    server: Annotated[str, typer.Argument(help="Show this one whole; empty: list all.")] = "",
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """List well-known hosted servers, or show what an entry for one says and what is left to do by hand.

    They are taken from their makers' documentation and not run by us.

    [bold]Examples[/bold]

      archway entries catalog
      archway entries catalog github
    """
    with explained():
        items = connect(state).get("/catalog")["items"]
        if not server:
            show_list(items, ("slug", "name", "credential_model", "needs_client", "url", "docs_url"), form)
            return
        show_one(_named(items, server), form, ("slug", "url", "callback_url", "to_do"))


@ENTRIES.command("add")
@with_form
def add(
    server: Annotated[str, typer.Argument(help="Its slug in the catalog.")],
    client_id: Annotated[
        str, typer.Option(help="Of the client that you registered at the provider, where the catalog says so.")
    ] = "",
    client_secret: Annotated[
        bool, typer.Option("--client-secret", help="Ask for that client's secret at the terminal.")
    ] = False,
    slug: Annotated[str, typer.Option(help="Another short name than the catalog's.")] = "",
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Make an entry of a server of the catalog. It is then an entry like any other.

    [bold]Examples[/bold]

      archway entries add linear
      archway entries add github --client-id Iv1.abc --client-secret
    """
    with explained():
        api = connect(state)
        found = _named(api.get("/catalog")["items"], server)
        body = _body(found, slug, client_id)
        if client_secret:
            body["client_secret"] = typer.prompt("Client secret", hide_input=True)
        show_one(api.post("/entries", body), form, ("slug", "name", "url"))
        for one in found["to_do"]:
            typer.echo(f"To do: {one}", err=True)


@ENTRIES.command("import")
@with_form
def import_servers(
    file: Annotated[str, typer.Argument(help="A client's mcp.json; - reads standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be made.")] = False,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Make entries of the servers that a client is configured with. What could be a secret becomes a question.

    [bold]Examples[/bold]

      archway entries import ~/.cursor/mcp.json --dry-run
      archway entries import .vscode/mcp.json
    """
    with explained():
        api = connect(state)
        found = api.post("/catalog/read", {"config": _read(file)})["items"]
        rows = []
        for one in found:
            said = "left out" if one["entry"] is None else "would be made"
            if one["entry"] is not None and not dry_run:
                api.post("/entries", one["entry"])
                said = "made"
            rows.append({"server": one["name"], "entry": (one["entry"] or {}).get("slug", ""), "outcome": said,
                         "notes": " ".join(one["notes"])})  # fmt: skip
        show_list(rows, ("server", "entry", "outcome", "notes"), form)


def _named(items: list[dict[str, Any]], slug: str) -> dict[str, Any]:
    for one in items:
        if one["slug"] == slug.lower():
            return one
    raise refuse(f"The catalog has no server {slug!r}. See all: archway entries catalog")


def _body(found: dict[str, Any], slug: str, client_id: str) -> dict[str, Any]:
    """The entry of a server of the catalog."""
    if found["needs_client"] and not client_id:
        told = f"{' '.join(found['to_do'])} The callback URL is {found.get('callback_url', 'on the entry')}."
        raise refuse(f"{found['name']} needs --client-id. {told}")
    names = ("slug", "name", "description", "url", "docs_url", "labels", "credential_model", "fields")
    body = {name: found[name] for name in names}
    placement = {**found["credential_placement"], **({"client_id": client_id} if client_id else {})}
    if placement:
        body["credential_placement"] = placement
    if slug:
        body["slug"] = slug
    return body


def _read(file: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if file == "-" else Path(file).expanduser().read_text("utf-8"))
    except OSError as error:
        raise refuse(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise refuse(f"{file} is not JSON. Comments are not allowed in it either.") from None
