"""The environments that a form of an entry or a gateway offers, each with what whoever chooses has to know of it.

What may be chosen is judged by `control/changes`; everybody may see which there are.
"""

from collections.abc import Collection
from typing import Final

from control.registry.access import Caller
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
    word = "restricted" if caller.may("environment:deploy-to-restricted") else "restricted, not by you"
    every = [*found, *(one for one in more if one is not None)]
    return [(one.id, f"{one.name} ({word})" if one.restricted else one.name) for one in every]
