"""`archway up` and `archway down` on the command line."""

from pathlib import Path
from typing import Annotated

import typer

from archway.options import DEFAULT_STATE, State, refuse


def up(
    state: State = DEFAULT_STATE,
    proxy_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port of the gateways; 0: any free one. Else last time's.")
    ] = None,
    control_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port of the admin API; 0: any free one. Else last time's.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Proxy workers.")] = 1,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Without the demo server, entry and gateway.")] = False,
    no_servers: Annotated[
        bool, typer.Option("--no-servers", help="Without the servers beside the demo that Archway itself runs.")
    ] = False,
    detached: Annotated[bool, typer.Option("--detach", help="Return when everything is ready; it goes on.")] = False,
    ready_fd: Annotated[int, typer.Option("--ready-fd", hidden=True)] = -1,
) -> None:
    """Run everything on this machine: PostgreSQL, Valkey, control, proxy and a demo MCP server.

    Ends by printing a gateway URL, a token and one command that calls a tool. Ctrl-C ends it; the data stays in the
    state folder. With ARCHWAY_DATABASE_URL or ARCHWAY_REDIS_URL set, those servers are used instead of own ones.

    [bold]Examples[/bold]

      archway up                                      in the foreground, state in ./.archway
      archway up --detach --state ~/archway           in the background
      archway up --proxy-port 9000 --workers 4        on a port of your choice
    """
    from archway.up.detach import DidNotDetach, detach
    from archway.up.launch import CannotStart, launch, report_for_here
    from archway.up.report import PipeReport
    from archway.up.stack import BrokenOff, Options
    from archway.up.state import AlreadyRunning, BadState, open_state

    try:
        folder = open_state(state)
        if detached:
            with folder.hold():
                pass  # says at once that another one runs
            ports = [("--proxy-port", proxy_port), ("--control-port", control_port), ("--workers", workers)]
            arguments = [text for name, value in ports if value is not None for text in (name, str(value))]
            left_out = [name for name, out in (("--no-demo", no_demo), ("--no-servers", no_servers)) if out]
            arguments += ["--state", str(folder.root), *left_out]
            detach(arguments, folder.log_of("up"), report_for_here())
            return
    except (BadState, AlreadyRunning, DidNotDetach) as why:
        raise refuse(str(why)) from None
    options = Options(proxy_port, control_port, workers, not no_demo, servers=not no_servers, foreground=ready_fd < 0)
    pipe = PipeReport(ready_fd) if ready_fd >= 0 else None
    report = pipe or report_for_here()
    try:
        launch(folder, options, report, pipe.ready if pipe else _nothing)
    except CannotStart as why:
        if pipe:
            pipe.failed(str(why))
        report.close()
        raise refuse(str(why)) from None
    except BrokenOff as why:
        if pipe:
            pipe.failed(str(why))
        report.close()
        raise refuse(str(why), why.status) from None
    finally:
        report.close()


def down(state: State = DEFAULT_STATE) -> None:
    """Stop what `archway up` started; the data stays.

    Also ends what a killed `archway up` may have left running.

    [bold]Examples[/bold]

      archway down
      archway down --state ~/archway
    """
    from archway.up.shut_down import shut_down

    typer.echo(shut_down(Path(state)))


def _nothing() -> None:
    """In the foreground nobody waits for readiness."""
