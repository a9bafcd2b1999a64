"""`archway migrate`: brings the database's tables up to date before control starts, or takes away what is not needed
any more.

Control does the first by itself at its start; a job before an upgrade does it so that an upgrade which cannot be done
ends before anything is replaced.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from archway.options import refuse

LATER = 3
"""The exit status for what may work when it is tried again."""
_AGAIN_S = 1.0


def migrate(
    contract: Annotated[
        bool, typer.Option("--contract", help="Also take away what only versions before this one need.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be applied, and change nothing.")
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=86_400,
            help="Seconds to wait for a database that is away, or for controls of other versions.",
        ),
    ] = 60,
    within: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1, max=86_400, help="Seconds that all migrations together may take."),
    ] = 600,
) -> None:
    """Bring the tables of the database at ARCHWAY_DATABASE_URL up to date.

    Control does so by itself when it starts, but for what takes something
    away: that is done by [bold]--contract[/bold] alone, and only while no
    control of another version is connected. Then there is no way back to
    the version before but a backup.

    Exits with 0 when it is done, 1 when it cannot be, 2 when a setting is
    missing, and 3 when trying again may help: the database is away, or
    controls of other versions are connected.

    [bold]Examples[/bold]

      archway migrate --dry-run

      archway migrate --contract --wait 600
    """
    from urllib.parse import urlsplit

    from control.store.migrate import MigrationRefused, OlderControls
    from control.store.pool import StoreUnavailable

    dsn = os.environ.get("ARCHWAY_DATABASE_URL", "")
    if urlsplit(dsn).scheme not in {"postgresql", "postgres"}:
        raise refuse("ARCHWAY_DATABASE_URL is not set to a URL such as postgresql://archway:...@host/archway", 2)
    work = _looked(dsn, contract) if dry_run else _applied(dsn, contract, within)
    try:
        asyncio.run(_again(work, wait))
    except MigrationRefused as why:
        raise refuse(str(why)) from None
    except OlderControls as why:
        raise refuse(f"{why}; replace them, then take away what only they need", LATER) from None
    except StoreUnavailable as why:
        raise refuse(f"{why}; check that ARCHWAY_DATABASE_URL names a running PostgreSQL", LATER) from None


async def _again(work: Callable[[], Awaitable[None]], wait: float) -> None:
    """Try until it goes, or for `wait` seconds; then raises why it does not."""
    from control.store.migrate import OlderControls
    from control.store.pool import StoreUnavailable

    until = time.monotonic() + wait
    while True:
        try:
            return await work()
        except (OlderControls, StoreUnavailable):
            if time.monotonic() >= until:
                raise
        await asyncio.sleep(min(_AGAIN_S, wait))


def _looked(dsn: str, contract: bool) -> Callable[[], Awaitable[None]]:
    from control.store.migrate import pending

    async def look() -> None:
        missing = await pending(dsn)
        for one in missing:
            then = "takes away; with --contract alone" if one.contracts and not contract else "would be applied"
            typer.echo(f"{one.name}: {then}")
        if not missing:
            typer.echo("the tables are up to date")

    return look


def _applied(dsn: str, contract: bool, within: float) -> Callable[[], Awaitable[None]]:
    from control.store import migrate as migrations

    async def apply() -> None:
        began = time.monotonic()

        def told(name: str) -> None:
            typer.echo(f"{name}: applied, {time.monotonic() - began:.1f} s after the beginning")

        way = migrations.contract if contract else migrations.migrate
        applied = await way(dsn, deadline=within, told=told)
        typer.echo(f"{len(applied)} applied" if applied else "the tables are up to date")

    return apply
