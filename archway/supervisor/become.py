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
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as it is where the descriptor was closed before the start
            stream.flush()  # what is still in a buffer would go with this program
    os.execv(sys.executable, [sys.executable, *PROGRAM, *told])  # noqa: S606 - no shell is wanted
