"""The tree of all commands, made once in a process of tests: Typer takes as long for it as ten tests that look at it.

    command = commands().commands["users"].commands["list"]

Nobody may change it. Used by tests that look at commands; those that type one have Typer's own runner.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from typer.main import get_command

from archway.all_commands import app


@cache
def commands() -> Any:
    """What `archway` makes of its commands each time it starts."""
    return get_command(app)
