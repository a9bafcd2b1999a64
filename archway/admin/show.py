"""What a command prints: a table or a sheet for people, JSON for programs."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_LONGEST_CELL = 80


def show_list(items: Iterable[Mapping[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    """A list; JSON is one array."""
    rows = list(items)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo("none")
        return
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(_cell(row.get(column))) for column in columns))
    _console().print(table)


def show_one(item: Mapping[str, Any], as_json: bool) -> None:
    """One object."""
    if as_json:
        typer.echo(json.dumps(item, indent=2))
        return
    sheet = Table(show_header=False, box=None, pad_edge=False)
    for name, value in item.items():
        sheet.add_row(name, escape(_text(value)))
    _console().print(sheet)


def _console() -> Console:
    # Piped tables are not cut to the width of a terminal that is not there.
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=240)


def _cell(value: Any) -> str:
    text = _text(value)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            # Text of upstream servers must not move the cursor or change colours.
            return "".join(char if char.isprintable() or char == "\n" else "·" for char in value)
        case list():
            return ", ".join(_text(one) for one in value)
        case dict():
            return ", ".join(f"{name}={_text(one)}" for name, one in value.items())
        case _:
            return str(value)
