"""What a command prints: a table or a sheet for people, JSON for programs."""

import json
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_LONGEST_CELL = 80
_LONGEST_LINE = 100
_WIDEST = 10_000
"""Piped tables are not cut to the width of a terminal that is not there."""


def show_list(items: Iterable[Mapping[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    """A list; JSON is one array."""
    rows = list(items)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif not rows:
        typer.echo("none")
    elif (console := Console(highlight=False)).is_terminal:
        console.print(_table(rows, columns))
    else:
        typer.echo(table_text(rows, columns))


def table_text(rows: Iterable[Mapping[str, Any]], columns: tuple[str, ...]) -> str:
    """A table as plain lines, each as long as it needs to be."""
    paper = StringIO()
    Console(file=paper, highlight=False, width=_WIDEST, color_system=None).print(_table(rows, columns))
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines())


def show_one(item: Mapping[str, Any], as_json: bool) -> None:
    """One object."""
    typer.echo(json.dumps(item, indent=2) if as_json else sheet_text(item))


def sheet_text(item: Mapping[str, Any]) -> str:
    """A line for each field; what is nested or long is a block below its name."""
    width = max((len(name) for name in item), default=0)
    lines: list[str] = []
    for name, value in item.items():
        block = _block(value)
        lines += [f"{name:<{width}}  {_text(value)}".rstrip()] if block is None else [name, *block]
    return "\n".join(lines)


def _block(value: Any) -> list[str] | None:
    """The value as indented lines, None where it fits on one."""
    if isinstance(value, str) and "\n" in value:
        return ["    " + line for line in _text(value).splitlines()]
    if not isinstance(value, dict | list) or (_is_flat(value) and len(_text(value)) <= _LONGEST_LINE):
        return None
    return ["    " + _text(line) for line in json.dumps(value, indent=2, ensure_ascii=False).splitlines()]


def _is_flat(value: dict[str, Any] | list[Any]) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    return not any(isinstance(one, dict | list) for one in inner)


def _table(rows: Iterable[Mapping[str, Any]], columns: tuple[str, ...]) -> Table:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(_cell(row.get(column))) for column in columns))
    return table


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
