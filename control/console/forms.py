"""A form of a page: what a person typed, read into the models of the admin API, and what is wrong with it.

    form = await visit.form()
    try:
        wanted = form.read(NewTeam)
        ...
    except REFUSALS as refusal:
        return visit.again("teams/new.html", form.refused(refusal))

A refusal comes back in the same form, with all that was typed, at the field that it names, in the API's own sentence;
what names no field of the form stands above it. The macros of `templates/parts/form.html` show it.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from control.changes.refusals import Refused
from control.http.problems import Problem, of_refusal
from control.http.reading import checked
from control.registry.broken_rule import BrokenRule
from control.store.pool import StoreConflict

REFUSALS: Final = (Problem, BrokenRule, Refused, StoreConflict)
"""What a change may raise and a person may mend. A database that is away is another matter."""
M = TypeVar("M", bound=BaseModel)
_OF_A_LIST: Final = re.compile(r"(\w+)(?:\[([0-9]{1,4})\]|\.).*")
"""The path of one of several values, for which a form has one field: `redirect_uris[1]`."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form as a page shows it: what stands in its fields, and what was refused."""

    given: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    """What is wrong with the whole, or with something that has no field."""
    status: int = 200
    """Of the page that shows the form again."""

    def value(self, name: str) -> str:
        """What stands in a field."""
        return self.given.get(name, "")

    def error(self, name: str) -> str:
        """What is wrong with a field; '' where nothing is."""
        return self.errors.get(name, "")

    def flag(self, name: str) -> bool:
        """Whether a box is ticked; browsers send nothing of one that is not."""
        return bool(self.value(name))

    def words(self, name: str) -> list[str]:
        """The values of a field that has several: set apart by spaces, commas or new lines."""
        return self.value(name).replace(",", " ").split()

    def lines(self, name: str) -> list[str]:
        """The values of a field that has one on each line."""
        return [line.strip() for line in self.value(name).split("\n") if line.strip()]

    @property
    def version(self) -> int | None:
        """The version that the form was made of; None where it does not say, so that whatever there is changes."""
        text = self.value("version")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    def read(self, model: type[M], *, leave_out: Collection[str] = (), **made: Any) -> M:
        """The model of the fields that it has in common with the form, and of those that the page `made` itself.

        Raises Problem as the admin API does. `leave_out`: fields that, left empty, are not given at all.
        """
        texts = {
            name: text
            for name, text in self.given.items()
            if name in model.model_fields and name not in made and (text or name not in leave_out)
        }
        return checked(model, texts | made)

    def refused(self, refusal: Exception, named: Callable[[str], str] = str) -> "Form":
        """The same form with what was refused; raises again what is no matter of a form: that nothing is there.

        `named`: the form's own name for a path of the API, where the two differ.
        """
        problem = of_refusal(refusal)
        if problem is None or problem.status == 404:
            raise refusal
        errors: dict[str, str] = {}
        for one in problem.errors:
            name, where = self._field_of(named(one.field))
            errors.setdefault(name, where + one.message)
        return replace(self, errors=errors, problem=self._above(problem, named), status=problem.status)

    def _field_of(self, path: str) -> tuple[str, str]:
        """The field that a path of the API is about, and which of its values is meant."""
        found = None if path in self.given else _OF_A_LIST.fullmatch(path)
        if found is None or found[1] not in self.given:
            return path, ""
        return found[1], f"(number {int(found[2]) + 1}) " if found[2] else ""

    def _above(self, problem: Problem, named: Callable[[str], str]) -> str:
        told = [(named(one.field), one.message) for one in problem.errors]
        strange = [f"{path} {message}." for path, message in told if self._field_of(path)[0] not in self.given]
        if problem.errors and not strange:
            return ""
        return " ".join(strange) or problem.detail


def typed(given: Mapping[str, str], kept: Collection[str] = ()) -> Form:
    """The form that a browser sent: without the spaces around a text, which nobody sees, unless it is to be `kept`,
    and with the new lines that everybody but forms uses.
    """
    lines = {name: text.replace("\r\n", "\n") for name, text in given.items()}
    return Form({name: text if name in kept else text.strip() for name, text in lines.items()})
