"""Forms of pages: what a person typed, read into the models of the admin API, and what is wrong with it.

    form = await read_form(request)
    try:
        wanted = form.read(NewTeam)
        ...
    except REFUSALS as refusal:
        return visit.render("teams/new.html", status=..., form=form.refused(refusal))

A refusal comes back in the same form, with all that was typed, at the field that it names, in the API's own sentence;
what names no field of the form stands above it. The macros of `templates/parts/form.html` show it. Leaves out whether
a form is one of ours: `control/http/csrf.py`.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel

from control.changes.refusals import Refused
from control.http.problems import FieldError, Problem, of_refusal
from control.http.reading import checked
from control.registry.broken_rule import BrokenRule
from control.store.pool import StoreConflict

REFUSALS: Final = (Problem, BrokenRule, Refused, StoreConflict)
"""What a change may raise and a person may mend. A database that is away is another matter."""
FORM_WITHIN_S: Final = 10.0
MOST_FIELDS: Final = 500
M = TypeVar("M", bound=BaseModel)


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

    def refused(self, refusal: Exception) -> "Form":
        """The same form with what was refused; raises again what is no matter of a form: that nothing is there."""
        problem = of_refusal(refusal)
        if problem is None or problem.status == 404:
            raise refusal
        errors: dict[str, str] = {}
        for one in problem.errors:
            errors.setdefault(one.field, one.message)
        return replace(self, errors=errors, problem=self._above(problem), status=problem.status)

    def _above(self, problem: Problem) -> str:
        strange = [one for one in problem.errors if one.field not in self.given]
        if problem.errors and not strange:
            return ""
        return " ".join(map(_spoken, strange)) or problem.detail


async def read_form(request: web.Request, *, multiple: Collection[str] = ()) -> Form:
    """What was sent; raises Problem for what no form of a page sends. `multiple`: fields that may come more than
    once, joined with commas.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise Problem(415, "Send the form as a browser does.")
    try:
        async with asyncio.timeout(FORM_WITHIN_S):
            sent = await request.post()
    except TimeoutError:
        raise Problem(408, f"The form did not arrive within {FORM_WITHIN_S:.0f} seconds.") from None
    if len(sent) > MOST_FIELDS:
        raise Problem(413, f"A form has at most {MOST_FIELDS} fields.")
    given: dict[str, str] = {}
    for name, text in sent.items():
        if not isinstance(text, str):
            raise Problem(415, "Send the form as a browser does.")
        if name in given and name not in multiple:
            raise Problem(422, "A field of the form came twice.")
        cleaned = _cleaned(text)
        given[name] = f"{given[name]},{cleaned}" if name in given else cleaned
    return Form(given)


def _cleaned(text: str) -> str:
    """Without the spaces around it, which nobody sees, and with the new lines that everybody else uses."""
    return text.replace("\r\n", "\n").strip()


def _spoken(error: FieldError) -> str:
    return f"{error.field} {error.message}."
