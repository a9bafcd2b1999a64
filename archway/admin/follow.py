"""`--follow`: a list that goes on as new items come, oldest first, until Ctrl-C.

Asks every second for what is newer than what was shown. Items of many proxies arrive out of order, so that the last
minute is looked at again each time; what arrives later than that is in the list and not here.
"""

import json
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import typer

from archway.admin.form import Form
from archway.admin.show import cells
from archway.admin_client import AdminApi, Problem, Unreachable

_EVERY_S: Final = 1.0
_AGAIN: Final = timedelta(seconds=60)
_MOST_AT_ONCE: Final = 5_000
_AT_FIRST: Final = 10
_ENDED: Final = 128 + signal.SIGINT
"""The status of a program that Ctrl-C ended, as the shell expects it."""
Row = Mapping[str, Any]


@dataclass(slots=True)
class News:
    """What of a list was not given out yet."""

    api: AdminApi
    path: str
    query: dict[str, Any]
    _newest: datetime | None = None
    _given: dict[str, datetime] = field(default_factory=dict)

    def first(self) -> list[dict[str, Any]]:
        """The last few items, or all since the moment that the query names; oldest first."""
        most = _MOST_AT_ONCE if "from" in self.query else _AT_FIRST
        return self._new(islice(self.api.pages(self.path, **self.query), most))

    def next(self) -> list[dict[str, Any]]:
        """What came since, oldest first."""
        query = dict(self.query)
        if self._newest is not None:
            query["from"] = (self._newest - _AGAIN).isoformat()
        return self._new(islice(self.api.pages(self.path, **query), _MOST_AT_ONCE))

    def _new(self, found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        news = [one for one in found if str(one["id"]) not in self._given]
        for one in news:
            moment = datetime.fromisoformat(str(one["time"]))
            self._given[str(one["id"])] = moment
            self._newest = moment if self._newest is None else max(self._newest, moment)
        if self._newest is not None:
            oldest = self._newest - 2 * _AGAIN
            self._given = {name: moment for name, moment in self._given.items() if moment >= oldest}
        return news[::-1]


def follow(
    news: News,
    columns: tuple[str, ...],
    form: Form,
    for_people: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    *,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Print items as they come, until Ctrl-C. Raises Problem for a refusal; waits out what does not answer."""
    lines = _Lines(columns)
    away = False
    try:
        found = news.first()
        while True:
            _print(found, lines, form, for_people)
            wait(_EVERY_S)
            try:
                found, away = news.next(), False
            except (Unreachable, Problem) as why:
                if isinstance(why, Problem) and why.status < 500:
                    raise
                if not away:
                    typer.echo(f"{why}; trying again", err=True)
                found, away = [], True
    except KeyboardInterrupt:
        raise typer.Exit(_ENDED) from None


def _print(
    found: list[dict[str, Any]],
    lines: "_Lines",
    form: Form,
    for_people: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
) -> None:
    if form.for_programs:
        for one in found:
            typer.echo(json.dumps(one))
        return
    for row in for_people(found):
        typer.echo(lines.line(row))


@dataclass(slots=True)
class _Lines:
    """Rows as lines whose columns stand below each other, as far as can be known before all are there."""

    columns: tuple[str, ...]
    _widths: list[int] = field(default_factory=list)

    def line(self, row: Row) -> str:
        words = cells(row, self.columns)
        head = ""
        if not self._widths:
            self._widths = [max(len(name), len(word)) for name, word in zip(self.columns, words, strict=True)]
            head = self._joined(self.columns) + "\n"
        self._widths = [max(width, len(word)) for width, word in zip(self._widths, words, strict=True)]
        return head + self._joined(words)

    def _joined(self, words: Iterable[str]) -> str:
        return "  ".join(word.ljust(width) for word, width in zip(words, self._widths, strict=True)).rstrip()
