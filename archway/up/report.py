"""How `archway up` tells what it is doing: a person at a terminal, a plain log, or the caller of `--detach`."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Report(Protocol):
    """What `archway up` tells of its progress, whoever reads it."""

    def begin(self, title: str) -> None:
        """A step begins."""

    def done(self, title: str, seconds: float) -> None:
        """It is done."""

    def gave_up(self, title: str) -> None:
        """It failed or was broken off; why comes in other words."""

    def note(self, text: str) -> None:
        """Worth knowing; the start goes on."""

    def say(self, text: str) -> None:
        """A finished text, shown as it is."""

    def close(self) -> None:
        """Nothing more will come."""


@contextmanager
def step(report: Report, title: str) -> Iterator[None]:
    """One step of the start."""
    began = time.monotonic()
    report.begin(title)
    try:
        yield
    except BaseException:
        report.gave_up(title)
        raise
    report.done(title, time.monotonic() - began)


class TerminalReport:
    """Spinners while steps run, a line for each that is done."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._progress = Progress(*columns, console=self._console, transient=True)
        self._steps: dict[str, int] = {}
        self._progress.start()

    def begin(self, title: str) -> None:
        """A step begins."""
        self._steps[title] = self._progress.add_task(title)

    def done(self, title: str, seconds: float) -> None:
        """It is done."""
        self._progress.remove_task(self._steps.pop(title))  # type: ignore[arg-type] # rich's TaskID is an int
        self._console.print(f"[green]✓[/green] {title} [dim]{seconds:.1f} s[/dim]")

    def gave_up(self, title: str) -> None:
        """Its spinner ends."""
        self._progress.remove_task(self._steps.pop(title))  # type: ignore[arg-type] # rich's TaskID is an int

    def note(self, text: str) -> None:
        """A line above the spinners."""
        self._console.print(f"note: {text}", style="yellow", markup=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Printed without rich's wrapping, so that commands can be copied."""
        self.close()
        print(text, flush=True)

    def close(self) -> None:
        """Take the spinners away."""
        self._progress.stop()


class PlainReport:
    """One line per finished step, for logs and pipes."""

    def begin(self, title: str) -> None:
        """Nothing: the line comes when it is done."""

    def done(self, title: str, seconds: float) -> None:
        """A line."""
        print(f"{title} ({seconds:.1f} s)", flush=True)

    def gave_up(self, title: str) -> None:
        """Nothing: the reason follows."""

    def note(self, text: str) -> None:
        """A line."""
        print(f"note: {text}", flush=True)

    def say(self, text: str) -> None:
        """A text."""
        print(text, flush=True)

    def close(self) -> None:
        """Nothing is open."""


class SteadyReport:
    """Another report whose reader may be gone: a closed pipe, a closed terminal, a log on a full disk. What cannot be
    told is lost; what runs goes on, and is ended in order.
    """

    def __init__(self, report: Report) -> None:
        self._report = report

    def begin(self, title: str) -> None:
        """A step begins."""
        with contextlib.suppress(OSError):
            self._report.begin(title)

    def done(self, title: str, seconds: float) -> None:
        """It is done."""
        with contextlib.suppress(OSError):
            self._report.done(title, seconds)

    def gave_up(self, title: str) -> None:
        """It will not be done."""
        with contextlib.suppress(OSError):
            self._report.gave_up(title)

    def note(self, text: str) -> None:
        """Worth knowing."""
        with contextlib.suppress(OSError):
            self._report.note(text)

    def say(self, text: str) -> None:
        """A text."""
        with contextlib.suppress(OSError):
            self._report.say(text)

    def close(self) -> None:
        """Nothing more will come."""
        with contextlib.suppress(OSError):
            self._report.close()


class PipeReport:
    """JSON lines to the process that waits for `--detach`; detach.py reads them."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def begin(self, title: str) -> None:
        """A step begins."""
        self._send(["begin", title])

    def done(self, title: str, seconds: float) -> None:
        """It is done."""
        self._send(["done", title, seconds])

    def gave_up(self, title: str) -> None:
        """It will not be done."""
        self._send(["gave up", title])

    def note(self, text: str) -> None:
        """Worth knowing."""
        self._send(["note", text])

    def say(self, text: str) -> None:
        """A text."""
        self._send(["say", text])

    def failed(self, why: str) -> None:
        """It will not be ready."""
        self._send(["failed", why])

    def ready(self) -> None:
        """Everything runs; the caller may go."""
        self._send(["ready"])
        self.close()

    def close(self) -> None:
        """The caller sees the end of the pipe."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _send(self, message: list[object]) -> None:
        if self._descriptor < 0:
            return
        try:
            os.write(self._descriptor, json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            self.close()  # the caller left; we go on
