"""In which form a command prints: a table for people, a wider one, or JSON or YAML for programs.

Every command that shows something takes `--output` and, as a short way to say `--output json`, `--json`.
"""

import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer


class Form(StrEnum):
    """How a command prints an answer: for people to read, or for programs."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"

    @property
    def for_programs(self) -> bool:
        """Whether the answer is printed whole, as the API gave it."""
        return self in {Form.JSON, Form.YAML}


Output = Annotated[
    Form | None,
    typer.Option(
        "--output", "-o", help="table; wide: every column, nothing cut; json or yaml: for programs.", metavar="FORM"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --output json.")]


def form_of(output: Form | None, as_json: bool) -> Form:
    """What the two options say together; raises typer.BadParameter where they contradict each other."""
    if as_json and output not in {None, Form.JSON}:
        raise typer.BadParameter("says another form than --output; give one of the two", param_hint="--json")
    return Form.JSON if as_json else output or Form.TABLE


def form_parameters() -> list[inspect.Parameter]:
    """The two options, as parameters of a function that typer reads."""
    return [
        inspect.Parameter("output", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Output),
        inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
    ]


def with_form(command: Callable[..., None]) -> Callable[..., None]:
    """The command with these two options in the place of its parameter `form`."""
    own = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for one in inspect.signature(command).parameters.values()
        if one.name != "form"
    ]

    @functools.wraps(command)
    def formed(**given: Any) -> None:
        form = form_of(given.pop("output"), given.pop("as_json"))
        command(**given, form=form)

    every = [*own, *form_parameters()]
    formed.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined] # typer reads it
    formed.__annotations__ = {one.name: one.annotation for one in every}
    return formed
