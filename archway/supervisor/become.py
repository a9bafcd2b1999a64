"""The way from the command line to the supervisor: the same process with another program in it."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from archway.supervisor.orders import Supervision, as_argument

PROGRAM = ("-P", "-m", "archway.supervisor")


def become_supervisor(orders: Supervision, ports_file: Path | None) -> NoReturn:
    """Exchange this program for the supervisor's.

    What the command line imported is gone with it, which is more than half of the memory that the process would
    otherwise hold for as long as the proxy runs.
    """
    told = [as_argument(orders), *([str(ports_file)] if ports_file is not None else [])]
    os.execv(sys.executable, [sys.executable, *PROGRAM, *told])  # noqa: S606 - no shell is wanted
