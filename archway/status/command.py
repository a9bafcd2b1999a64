"""`archway status` on the command line."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from archway.admin.form import Form, with_form
from archway.options import DEFAULT_STATE, State

if TYPE_CHECKING:
    from archway.status.deployment import Deployment
    from archway.status.facts import Facts, InstallationFact


@with_form
def status(context: typer.Context, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """Show what runs and how each installation is. Exit status 1 when something does not run.

    With ARCHWAY_ADMIN_URL and ARCHWAY_ADMIN_TOKEN in the environment, and
    without --state, it is about the deployment there: which listeners are
    ready, its version, what it holds, and how each installation is.

    [bold]Examples[/bold]

      archway status

      archway status --json | jq '.installations[].runtime'

      ARCHWAY_ADMIN_URL=https://admin.example.com ARCHWAY_ADMIN_TOKEN=arch_... archway status
    """
    if _elsewhere(context):
        _of_deployment(form)
    _of_state_folder(state, form)


def _elsewhere(context: typer.Context) -> bool:
    """Whether the environment says where, and the command does not."""
    from archway.admin.connection import TOKEN, URL

    source = context.get_parameter_source("state")
    typed = source is not None and source.name == "COMMANDLINE"
    return not typed and bool(os.environ.get(URL) or os.environ.get(TOKEN))


def _of_deployment(form: Form) -> None:
    from archway.admin.commands import explained
    from archway.admin.connection import connect
    from archway.admin.show import show_one
    from archway.status.deployment import look

    with explained():
        found = look(connect(DEFAULT_STATE))
    if form.for_programs:
        show_one(found.as_json(), form)
    else:
        _print_deployment(found)
    raise typer.Exit(0 if found.healthy else 1)


def _print_deployment(found: "Deployment") -> None:
    console = Console(highlight=False)
    for one in found.listeners:
        word = f"[red]{one.trouble}[/red]" if one.trouble else "ready"
        console.print(f"{one.name:<13} {one.url}  {word}", soft_wrap=True)
    if found.version is not None:
        other = "" if found.version == found.command_line else f", this command line {found.command_line}"
        console.print(f"{'version':<13} {found.version}{other}", soft_wrap=True)
    if found.counts:
        told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in found.counts.items())
        console.print(f"{'holds':<13} {told}", soft_wrap=True)
    if found.trouble:
        console.print(f"[red]The admin API says: {found.trouble}[/red]", soft_wrap=True)
    _print_installations(found.installations)


def _of_state_folder(state: "State", form: Form) -> None:
    from archway.admin.show import show_one
    from archway.status.facts import gather
    from archway.up.state import existing_state

    facts = gather(existing_state(state))
    if form.for_programs:
        show_one(facts.as_json(), form)
    elif not facts.running:
        Console(highlight=False).print(
            f"Nothing runs on {facts.state}; `archway up --state {facts.state}` starts it.", soft_wrap=True
        )
        raise typer.Exit(1)
    else:
        _print_facts(facts)
    raise typer.Exit(0 if facts.healthy else 1)


def _print_facts(facts: "Facts") -> None:
    console = Console(highlight=False)
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
    else:
        _print_installations(facts.installations)


def _print_installations(installations: "list[InstallationFact]") -> None:
    from archway.admin.show import show_list

    rows = [{"installation": one.name, **asdict(one), "runtime": _runs(one)} for one in installations]
    if rows:
        show_list(rows, ("installation", "entry", "scope", "runtime", "state", "reason"), Form.TABLE)


def _runs(one: "InstallationFact") -> str:
    return f"{one.runtime}, isolation: {one.isolation}" if one.isolation else one.runtime


def _word(facts: "Facts") -> str:
    """A dead program of a running `archway up` is on its way back; without one nobody brings it back."""
    return "[yellow]restarting[/yellow]" if facts.running else "[red]dead[/red]"
