"""`archway doctor` on the command line."""

import os

import typer

from archway.options import DEFAULT_STATE, State


def doctor(state: State = DEFAULT_STATE) -> None:
    """Say what is wrong with a setting, a port, a key, a server or the state folder, and the cure.

    One line for each finding; exit status 1 when one of them is wrong rather than worth knowing.

    [bold]Examples[/bold]

      archway doctor
      env $(cat production.env) archway doctor     checks the settings of a deployment before it starts
    """
    from archway.doctor.examine import examine
    from archway.up.state import existing_state

    findings = examine(existing_state(state), dict(os.environ))
    for finding in findings:
        typer.echo(finding.line)
    if not any(finding.wrong for finding in findings):
        typer.echo("nothing is wrong" if not findings else "nothing else is wrong")
        return
    raise typer.Exit(1)
