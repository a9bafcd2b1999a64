"""Command-line options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from archway.up.state import DEFAULT

State = Annotated[
    Path,
    typer.Option(
        "--state",
        envvar="ARCHWAY_STATE",
        help="The folder that holds everything of one `archway up`.",
        show_default=True,
    ),
]
DEFAULT_STATE = Path(DEFAULT)


def refuse(why: str, status: int = 1) -> typer.Exit:
    """Say why on standard error; raise what this returns."""
    typer.secho(why, fg=typer.colors.RED if why else None, err=True)
    return typer.Exit(status)
