"""`archway status` on the command line."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from archway.options import DEFAULT_STATE, State

if TYPE_CHECKING:
    from archway.status.facts import Facts


def status(
    state: State = DEFAULT_STATE,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what runs and how each installation is. Exit status 1 when something does not run.

    [bold]Examples[/bold]

      archway status
      archway status --json | jq '.installations[].runtime'
    """
    from archway.status.facts import gather
    from archway.up.state import existing_state

    facts = gather(existing_state(state))
    if as_json:
        typer.echo(json.dumps(facts.as_json(), indent=2))
        raise typer.Exit(0 if facts.healthy else 1)
    console = Console(highlight=False)
    if not facts.running:
        console.print(f"Nothing runs on {facts.state}; `archway up --state {facts.state}` starts it.", soft_wrap=True)
        raise typer.Exit(1)
    for title, url in (
        ("Gateway", facts.gateway_url),
        ("Admin API", facts.control_url),
        ("Metrics", facts.metrics_url),
    ):
        if url:
            console.print(f"{title:<10} {url}", soft_wrap=True)
    processes = Table("process", "pid", "", box=None, pad_edge=False, title_justify="left")
    for process in facts.processes:
        processes.add_row(process.name, str(process.pid), "runs" if process.alive else _word(facts))
    console.print(processes)
    if facts.trouble:
        console.print(f"[red]Installations are not known: {facts.trouble}[/red]", soft_wrap=True)
    elif facts.installations:
        table = Table("installation", "entry", "scope", "runtime", "state", "", box=None, pad_edge=False)
        for one in facts.installations:
            table.add_row(one.name, one.entry, one.scope, one.runtime, one.state, one.reason)
        console.print(table)
    raise typer.Exit(0 if facts.healthy else 1)


def _word(facts: "Facts") -> str:
    """A dead program of a running `archway up` is on its way back; without one nobody brings it back."""
    return "[yellow]restarting[/yellow]" if facts.running else "[red]dead[/red]"
