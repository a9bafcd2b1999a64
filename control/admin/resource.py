"""What every resource of the admin API does with rows: refuse one that is missing, and show the others.

Called by the files of resources. What an object must look like to be stored is not checked here again: a row that an
earlier version wrote is shown, whatever today's rules for new ones are.
"""

from typing import Any, TypeVar

from control.http.models import Model
from control.http.problems import not_found
from control.registry.access import Caller
from control.registry.actions import Action

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


def whose(caller: Caller, action: Action, user_id: str | None) -> str | None:
    """Whose rows a list shows, None for everybody's: `user_id` filters. Who may not do this to all has their own
    rows; another's user is Problem 404.
    """
    if caller.may(action):
        return user_id
    if user_id not in {None, caller.user_id}:
        raise not_found("user")
    return caller.user_id


def _of(row: Any, name: str) -> Any:
    return row[name] if hasattr(row, "__getitem__") else getattr(row, name)
