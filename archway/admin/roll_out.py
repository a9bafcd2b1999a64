"""`archway installations roll-out`: moves servers that Archway runs to the newest base image, a few at a time.

A restart is what moves one (`control/store/writes/server_states.py`). The next ones are restarted when those before
answer again, so that a base image that is not good stops at the first few; who begins again goes on where it ended.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from archway.admin.commands import explained
from archway.admin.connection import connect
from archway.admin.installations import INSTALLATIONS
from archway.admin_client import AdminApi
from archway.options import DEFAULT_STATE, State, refuse

Installation = Mapping[str, Any]
LOOK_S: Final = 2.0
WITHIN_S: Final = 600.0
"""In which one wave must answer again."""

AtOnce = Annotated[int, typer.Option(min=1, max=100, help="How many are restarted together.")]


@INSTALLATIONS.command("roll-out")
def roll_out(at_once: AtOnce = 5, state: State = DEFAULT_STATE) -> None:
    """Move servers that run in an older base image to the newest, a few at a time; stops at one that does not run.

    [bold]Examples[/bold]

      archway installations roll-out

      archway installations roll-out --at-once 20
    """
    with explained():
        api = connect(state)
        waiting = [one for one in api.pages("/installations") if is_behind(one)]
        typer.echo(f"{len(waiting)} run in an older base image.")
        for begin in range(0, len(waiting), at_once):
            stuck = wave(api, waiting[begin : begin + at_once], time.sleep)
            if stuck:
                raise refuse("Stopped. These do not run with the newest base image:\n" + "\n".join(stuck))


def is_behind(installation: Installation) -> bool:
    """Whether a restart would give its server another base image."""
    return bool((installation.get("runs") or {}).get("newer_base_image"))


def wave(api: AdminApi, installations: Sequence[Installation], pause: Callable[[float], None]) -> list[str]:
    """Restart these, and wait until all run; a line for each that does not."""
    for one in installations:
        _ = api.post(f"/installations/{one['id']}/restart")
    waiting = list(installations)
    for _ in range(int(WITHIN_S / LOOK_S)):
        seen = [api.get(f"/installations/{one['id']}") for one in waiting]
        for one in seen:
            if is_done(one):
                typer.echo(f"{one['address']} runs")
        waiting = [one for one in seen if not is_done(one)]
        if not waiting or any(has_failed(one) for one in waiting):
            break
        pause(LOOK_S)
    return [f"{one['address']}: {one['runs']['phase']} {one['runs']['sentence']}".rstrip() for one in waiting]


def is_done(installation: Installation) -> bool:
    """Whether it answers after its restart."""
    runs = installation["runs"]
    return bool(runs["is_latest"] and runs["phase"] == "ready")


def has_failed(installation: Installation) -> bool:
    """Whether it will not answer after its restart unless somebody changes something."""
    runs = installation["runs"]
    return bool(runs["is_latest"] and (runs["phase"] == "failed" or (runs["phase"] == "degraded" and runs["cause"])))
