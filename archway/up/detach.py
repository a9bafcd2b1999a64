"""`archway up --detach`: starts the stack in a session of its own, shows its progress, and returns when it is ready.

The child writes JSON lines into a pipe (report.PipeReport) until it is ready; the pipe's end without "ready" means
that it failed, and says why in its last line.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from archway.up.report import Report


class DidNotDetach(Exception):
    """The detached process ended before it was ready."""


def detach(arguments: list[str], log: Path, report: Report) -> None:
    """Run `archway up` with these arguments in the background; raises DidNotDetach."""
    ear, mouth = os.pipe()
    command = [sys.executable, "-P", "-m", "archway", "up", *arguments, "--ready-fd", str(mouth)]
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(mouth,),
            start_new_session=True,
        )
    os.close(mouth)
    try:
        with os.fdopen(ear) as lines:
            failed = _relay(lines, report)
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        child.wait(60)
        raise
    finally:
        report.close()
    if failed is not None:
        child.wait(60)
        raise DidNotDetach(failed)
    child.returncode = 0  # it lives on without us; keeps Popen from warning about that


def _relay(lines: IO[str], report: Report) -> str | None:
    failed = "the detached process ended without a word; its log is logs/up.log in the state folder"
    for line in lines:
        message: list[Any] = json.loads(line)
        match message:
            case ["begin", str(title)]:
                report.begin(title)
            case ["done", str(title), float(seconds)]:
                report.done(title, seconds)
            case ["gave up", str(title)]:
                report.gave_up(title)
            case ["note", str(text)]:
                report.note(text)
            case ["say", str(text)]:
                report.say(text)
            case ["failed", str(why)]:
                failed = why
            case ["ready"]:
                return None
    return failed
