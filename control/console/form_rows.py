"""Rows of a form: several things of one kind, each with a few fields, such as `fields[0].name` and `fields[0].type`.

A browser without a script adds a row by a button that sends the form; the page comes back with what was typed and one
row more. Names are the paths of the admin API, so that what is wrong with a row stands at it. Called by the forms of
entries. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from control.console.forms import Form

MORE: Final = "more"
"""The button that adds a row: its value names the list."""
DROP: Final = "drop"
"""The button that takes a row away: `fields[2]`."""
_ROW: Final = re.compile(r"(\w+)\[([0-9]{1,3})\]\.(\w+)")


def rows_of(form: Form, name: str) -> list[dict[str, str]]:
    """The rows of a list in their order, whatever their numbers; those with nothing in them too."""
    found: dict[int, dict[str, str]] = {}
    for field, text in form.given.items():
        if (row := _ROW.fullmatch(field)) and row[1] == name:
            found.setdefault(int(row[2]), {})[row[3]] = text
    return [found[number] for number in sorted(found)]


def with_rows(form: Form, name: str, rows: Sequence[Mapping[str, str]]) -> Form:
    """The form with these rows in that list, numbered from 0, and no others."""
    others = {field: text for field, text in form.given.items() if not _is_of(field, name)}
    numbered = {
        f"{name}[{number}].{part}": text for number, row in enumerate(rows) for part, text in row.items()
    }  # fmt: skip
    return replace(form, given=others | numbered)


def with_buttons(form: Form, blank: Mapping[str, Mapping[str, str]]) -> Form | None:
    """The form after a button of its rows: one row more or less; None where another button sent it. `blank`: by list,
    an empty row.
    """
    more, drop = form.value(MORE), form.value(DROP)
    if more in blank:
        return with_rows(form, more, [*rows_of(form, more), blank[more]])
    name, _, number = drop.removesuffix("]").partition("[")
    if name in blank and number.isdecimal():
        kept = [row for place, row in enumerate(rows_of(form, name)) if place != int(number)]
        return with_rows(form, name, kept)
    return None


def _is_of(field: str, name: str) -> bool:
    row = _ROW.fullmatch(field)
    return row is not None and row[1] == name
