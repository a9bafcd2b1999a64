"""`archway installations logs`: what the server of an installation writes, where Archway runs it.

The command stands beside those of installations; `restart` is made with them. Lines are a server's own words, so
what would steer a terminal is shown and not obeyed.
"""

import signal
from typing import Annotated, Final

import typer

from archway.admin.accounts import InstallationNamed
from archway.admin.commands import explained
from archway.admin.connection import connect
from archway.admin.installations import INSTALLATIONS
from archway.admin.lookup import find
from archway.options import DEFAULT_STATE, State

_ENDED: Final = 128 + signal.SIGINT
"""The status of a program that Ctrl-C ended, as the shell expects it."""


Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with lines as they come, until Ctrl-C.")]
Previous = Annotated[bool, typer.Option("--previous", help="Of the run before this one, as after a crash.")]
Lines = Annotated[int, typer.Option(min=1, max=5_000, help="How many of the latest.")]


@INSTALLATIONS.command("logs")
def logs(
    installation: InstallationNamed,
    follow: Follow = False,
    previous: Previous = False,
    lines: Lines = 100,
    state: State = DEFAULT_STATE,
) -> None:
    """Show the log of an installation's server, where Archway runs it.

    [bold]Examples[/bold]

      archway installations logs time@organisation --follow

      archway installations logs crm@Support --previous
    """
    with explained():
        api = connect(state)
        path = f"/installations/{find(api, 'installation', installation)}/logs"
        try:
            for line in api.lines(path, lines=lines, previous=int(previous), follow=int(follow)):
                typer.echo(shown(line))
        except KeyboardInterrupt:
            raise typer.Exit(_ENDED) from None


def shown(line: bytes) -> str:
    """A line without its end, fit for a terminal."""
    text = line.decode(errors="replace").rstrip("\r\n")
    return "".join(char if char.isprintable() or char == "\t" else ascii(char)[1:-1] for char in text)
