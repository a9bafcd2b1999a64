"""What a command prints: a table or a sheet for people, JSON or YAML for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from archway.admin.form import Form

_LONGEST_CELL = 80
_LONGEST_LINE = 100
_WIDEST = 10_000
"""Piped tables are not cut to the width of a terminal that is not there."""


def show_list(items: Iterable[Mapping[str, Any]], columns: Sequence[str], form: Form) -> None:
    """A list; for programs one array."""
    rows = list(items)
    if form.for_programs:
        typer.echo(_for_programs(rows, form))
    elif not rows:
        typer.echo("none")
    elif form is Form.WIDE:
        typer.echo(table_text(rows, _every_column(rows, columns), longest_cell=_WIDEST))
    elif (console := Console(highlight=False)).is_terminal:
        console.print(_table(rows, columns))
    else:
        typer.echo(table_text(rows, columns))


def table_text(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, longest_cell: int = _LONGEST_CELL
) -> str:
    """A table as plain lines, each as long as it needs to be."""
    paper = StringIO()
    console = Console(file=paper, highlight=False, width=_WIDEST * 10, color_system=None)
    console.print(_table(rows, columns, longest_cell))
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines())


def show_one(item: Mapping[str, Any], form: Form, columns: Sequence[str] = ()) -> None:
    """One object; for people what it is called by stands first (`columns`), what is empty is left out unless wide."""
    typer.echo(_for_programs(item, form) if form.for_programs else sheet_text(readable(item, columns, form)))


def readable(item: Mapping[str, Any], columns: Sequence[str], form: Form) -> dict[str, Any]:
    """The fields of an object in the order in which a person reads them: its columns, others, identifiers."""
    first = [name for name in columns if name in item and not _is_identifier(name)]
    rest = [name for name in item if name not in first]
    order = [*first, *sorted(rest, key=_is_identifier)]
    return {name: item[name] for name in order if form is Form.WIDE or item[name] not in (None, "", [], {})}


def cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """What stands in the columns of one row of a table."""
    return [_cell(row.get(column), _LONGEST_CELL) for column in columns]


def sheet_text(item: Mapping[str, Any]) -> str:
    """A line for each field; what is nested or long is a block below its name."""
    width = max((len(name) for name in item), default=0)
    lines: list[str] = []
    for name, value in item.items():
        block = _block(value)
        lines += [f"{name:<{width}}  {_text(value)}".rstrip()] if block is None else [name, *block]
    return "\n".join(lines)


def _for_programs(value: Any, form: Form) -> str:
    if form is Form.JSON:
        return json.dumps(value, indent=2)
    from core.strict_yaml import write_yaml

    # What moves a cursor or turns the direction of writing is escaped, and so is then every letter beyond ASCII.
    as_it_is = all(char.isprintable() for char in json.dumps(value, ensure_ascii=False))
    return write_yaml(value, ascii_only=not as_it_is)


def _every_column(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """The usual columns, then every other field but what is nested more deeply than a list or a table, identifiers
    last."""
    shown = [name for name in columns if not _is_identifier(name)]
    names = dict.fromkeys(name for row in rows for name in row if name not in shown)
    flat = [name for name in names if all(_is_flat(row.get(name)) for row in rows)]
    return [*shown, *sorted(flat, key=_is_identifier)]


def _is_identifier(name: str) -> bool:
    return name in {"id", "created_by"} or name.endswith("_id")


def _block(value: Any) -> list[str] | None:
    """The value as indented lines, None where it fits on one."""
    if isinstance(value, str) and "\n" in value:
        return ["    " + line for line in _text(value).splitlines()]
    if not isinstance(value, dict | list) or (_is_flat(value) and len(_text(value)) <= _LONGEST_LINE):
        return None
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ["    " + " ".join(_text(one).split("\n")) for one in value]
    return ["    " + _text(line) for line in json.dumps(value, indent=2, ensure_ascii=False).splitlines()]


def _is_flat(value: Any) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return not any(isinstance(one, dict | list) for one in inner)


def _table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], longest_cell: int = _LONGEST_CELL) -> Table:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(_cell(row.get(column), longest_cell)) for column in columns))
    return table


def _cell(value: Any, longest: int) -> str:
    text = " ".join(_text(value).split("\n"))
    return text if len(text) <= longest else text[: longest - 1] + "…"


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
