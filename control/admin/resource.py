"""What every resource of the admin API does with rows: refuse one that is missing, and show the others.

Called by the files of resources. What an object must look like to be stored is not checked here again: a row that an
earlier version wrote is shown, whatever today's rules for new ones are.
"""

from typing import Any, TypeVar

from control.http.models import Model
from control.http.problems import not_found

M = TypeVar("M", bound=Model)
R = TypeVar("R")


def shown(model: type[M], row: Any, **made: Any) -> M:
    """A row, or an object with attributes, as the API shows it: the model's fields by their names.

    `made` are fields that no column has, or that need another form, such as models within the model.
    """
    told = {name: made[name] if name in made else _of(row, name) for name in model.model_fields}
    return model.model_construct(**told)


def one_or_404(row: R | None, what: str) -> R:
    """The row, or Problem 404 where there is none; `what` it is, in a word."""
    if row is None:
        raise not_found(what)
    return row


def _of(row: Any, name: str) -> Any:
    return row[name] if hasattr(row, "__getitem__") else getattr(row, name)
