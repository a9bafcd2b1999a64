"""Runs the stack under the folder's lock and says in one sentence why, when it cannot."""

import asyncio
import os
import sys
from collections.abc import Callable

from archway.admin_client import Problem, Unreachable
from archway.demo.server import NoDemo
from archway.up.given_settings import check_given, used
from archway.up.ports import PortTaken
from archway.up.postgres import PostgresFailed
from archway.up.postgres_binaries import NoPostgres
from archway.up.redis import NoRedis
from archway.up.report import PlainReport, Report, SteadyReport, TerminalReport
from archway.up.stack import Options, Stack
from archway.up.state import AlreadyRunning, BadState, StateFolder
from core.children.child import DidNotStart
from core.keys import BadKey
from core.settings import BadSetting

EXPECTED = (
    AlreadyRunning, BadState, PortTaken, NoPostgres, PostgresFailed, NoRedis, NoDemo, DidNotStart, BadKey, BadSetting,
    Problem, Unreachable,
)  # fmt: skip
"""What may go wrong for a reason that a person can act on."""


class CannotStart(Exception):
    """Why; for the command line to print."""


def launch(state: StateFolder, options: Options, report: Report, ready: Callable[[], None]) -> None:
    """Run until a signal; raises CannotStart. The caller closes the report, which may yet have to say why."""
    try:
        for sentence in check_given(os.environ):
            report.note(sentence)
        with state.hold():
            asyncio.run(Stack(state, options, used(os.environ), SteadyReport(report)).run(ready))
    except EXPECTED as why:
        raise CannotStart(str(why)) from None
    except OSError as why:  # a full disk, a folder that cannot be written
        raise CannotStart(f"{why.filename or state.root}: {why.strerror or why}") from None


def report_for_here() -> Report:
    """Spinners for a terminal, lines for anything else."""
    return TerminalReport() if sys.stdout.isatty() else PlainReport()
