"""The environments that a form of an entry or a gateway offers, each with what whoever chooses has to know of it.

What may be chosen is judged by `control/changes`; everybody may see which there are.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from control.changes.environments import DEPLOY
from control.changes.refusals import NotAllowed
from control.console.forms import Form
from control.registry.access import Caller
from control.registry.actions import lacking
from control.store import environments
from control.store.pool import Connection

_MOST: Final = 200


async def environment_choices(
    connection: Connection, caller: Caller, chosen: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Pairs of identifier and label, by name: the first 200, and those that are `chosen` already."""
    found = await environments.page(connection, limit=_MOST, after=None)
    there = {one.id for one in found}
    more = [await environments.one(connection, one) for one in chosen if one not in there]
    word = "restricted" if caller.may(DEPLOY) else "restricted, not by you"
    every = [*found, *(one for one in more if one is not None)]
    return [(one.id, f"{one.name} ({word})" if one.restricted else one.name) for one in every]


def at_its_field(form: Form, refusal: Exception, before: str | None = None) -> Form:
    """A form of an entry that was refused, marked at the environment too where what is lacking is the permission for
    restricted ones; `before`: the one that the entry is in. What is lacking stands above the form.
    """
    if not isinstance(refusal, NotAllowed) or not str(refusal).endswith(lacking(DEPLOY)):
        return form
    moved = form.value("environment_id") != (before or "")
    told = "is restricted, or the one that it leaves" if moved else "is restricted, and so is what runs there"
    return replace(form, errors={**form.errors, "environment_id": told})
