"""`archway doctor` on the command line."""

import os
from pathlib import Path
from typing import Annotated

import typer

from archway.options import DEFAULT_STATE, State, refuse


def doctor(
    state: State = DEFAULT_STATE,
    env_file: Annotated[
        list[Path] | None,
        typer.Option("--env-file", help="Settings of one program, instead of the environment's; may be repeated."),
    ] = None,
) -> None:
    """Look at settings, keys, ports, servers and the state folder, and say what is wrong and the cure.

    One line for each thing that was looked at, which begins with ok, warning or failed; exit status 1 when one
    failed. Files with the settings of control and of a proxy are held against each other too. Planes that run are
    asked whether they answer each other; with ARCHWAY_ADMIN_URL and ARCHWAY_ADMIN_TOKEN the admin API is asked how
    each installation is.

    [bold]Examples[/bold]

      archway doctor
      archway doctor --env-file control.env --env-file proxy.env     a deployment, before it starts and while it runs
    """
    from archway.doctor.environments import BadEnvFile, read_env_file
    from archway.doctor.examine import examine, examine_files
    from archway.up.state import existing_state

    try:
        given = [read_env_file(path) for path in env_file or ()]
    except BadEnvFile as why:
        raise refuse(str(why), 2) from None
    findings = examine_files(given, dict(os.environ)) if given else examine(existing_state(state), dict(os.environ))
    for finding in findings:
        typer.echo(finding.line)
    failed = sum(finding.wrong for finding in findings)
    if failed:
        typer.echo(f"{failed} failed")
        raise typer.Exit(1)
    typer.echo(_nothing_failed(sum(finding.level == "warning" for finding in findings)))


def _nothing_failed(warnings: int) -> str:
    if not warnings:
        return "nothing is wrong"
    return f"nothing failed; {warnings} warning{'' if warnings == 1 else 's'}"
