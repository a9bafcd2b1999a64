"""`archway control` and `archway proxy`: the two planes, each a process that reads ARCHWAY_* variables."""

import os
import runpy
from pathlib import Path
from typing import Annotated

import typer

from archway.options import refuse


def control() -> None:
    """Run the control plane: the admin API, the publisher and the internal listener.

    Settings are read from ARCHWAY_* variables; [bold]archway doctor[/bold] checks them.

    [bold]Example[/bold]

      ARCHWAY_DATABASE_URL=postgresql://... ARCHWAY_REDIS_URL=redis://... archway control
    """
    runpy.run_module("control.main", run_name="__main__", alter_sys=True)


def proxy(
    ports_file: Annotated[
        Path | None, typer.Option("--ports-file", help="Write the bound ports and the workers' pids to this file.")
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.1,
            max=86_400,
            help="Seconds that a leaving worker may take; else ARCHWAY_GRACE_SECONDS.",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="PEM certificate and chain for clients; else ARCHWAY_TLS_CERT.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", help="PEM key of the certificate; else ARCHWAY_TLS_KEY.")
    ] = None,
) -> None:
    """Run the data plane: a supervisor that binds the port once, and ARCHWAY_WORKERS workers behind it.

    SIGTERM ends it after the calls that run; SIGHUP replaces the workers one by one,
    each when its successor is ready.

    [bold]Example[/bold]

      ARCHWAY_PROXY_LISTEN=0.0.0.0:8400 ARCHWAY_WORKERS=4 archway proxy
    """
    from archway.supervisor.become import become_supervisor
    from archway.supervisor.settings import supervision_of
    from core.keys import BadKey
    from core.settings import BadSetting
    from proxy.edge.tls import ServerTls
    from proxy.settings import from_environment

    # Workers read their settings from the environment that they inherit.
    os.environ |= {
        name: str(file.absolute())
        for name, file in (("ARCHWAY_TLS_CERT", tls_cert), ("ARCHWAY_TLS_KEY", tls_key))
        if file is not None
    }
    try:
        settings = from_environment()
        if settings.tls_cert:
            _ = ServerTls(settings.tls_cert, settings.tls_key)  # a bad file ends the start with a sentence
        orders = supervision_of(settings, grace)
    except (BadSetting, BadKey) as why:
        raise refuse(str(why), 2) from None
    become_supervisor(orders, ports_file)
