"""That a gateway which names environments shows nothing of an entry that is elsewhere: looked at when a tool is
assigned, when the gateway names others, and when an entry moves.

Locks are taken in this order by all: the entry, its gateways, environments.
"""

from collections.abc import Collection, Sequence

from control.changes.visible import seen_entries
from control.changes.write import Write
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry
from control.registry.gateway import Gateway, GatewayFields
from control.store import entries, environments
from control.store import gateway_environments as served


async def check_assigned(write: Write, gateway: Gateway, entry: Entry) -> None:
    """BrokenRule where the gateway does not serve the entry's environment. Both rows are locked."""
    if _serves(gateway.environments, entry.environment_id):
        return
    where = await environments.one(write.connection, entry.environment_id) if entry.environment_id else None
    raise BrokenRule(
        "entry",
        f"{entry.slug} is in {_named(where.name if where else None)}, and the gateway {gateway.slug!r} serves "
        f"{await _served(write, gateway.environments)} alone; move the entry, or have the gateway serve more",
    )


async def check_shown(write: Write, gateway_id: str, wanted: GatewayFields) -> None:
    """BrokenRule where the gateway, whose row is locked, would no longer serve where something that it shows is."""
    if not wanted.environments:
        return
    shown = await served.shown_on(write.connection, gateway_id)
    elsewhere = [one for one in shown if not _serves(wanted.environments, one.environment_id)]
    if elsewhere:
        found = await entries.many(write.connection, [one.id for one in elsewhere])
        seen = {one.id for one in seen_entries(found.values(), write.actor)}
        told = [f"{one.slug} (in {_named(one.environment)})" for one in elsewhere if one.id in seen]
        told += ["entries of others"] * any(one.id not in seen for one in elsewhere)
        raise BrokenRule(
            "environments",
            f"would leave out what the gateway shows: tools of {', '.join(told)}; take those off it first",
        )


async def check_moved(write: Write, entry: Entry, environment_id: str | None) -> None:
    """BrokenRule where a gateway that shows tools of the entry does not serve where it moves. Its row is locked."""
    if entry.environment_id == environment_id:
        return
    showing = await served.lock_showing(write.connection, entry.id, write.actor)
    refusing = [one for one in showing if not _serves(one.environments, environment_id)]
    if not refusing:
        return
    where = await environments.one(write.connection, environment_id) if environment_id else None
    told = [f"{one.slug} (it serves {await _served(write, one.environments)})" for one in refusing if one.slug]
    told += ["gateways of others"] * any(one.slug is None for one in refusing)
    raise BrokenRule(
        "environment_id",
        f"cannot be {_named(where.name if where else None)}, which gateways that show its tools do not serve: "
        f"{', '.join(told)}; take its tools off them, or have them serve it",
    )


def _serves(environments: Sequence[str], environment_id: str | None) -> bool:
    return not environments or environment_id in environments


async def _served(write: Write, environment_ids: Collection[str]) -> str:
    return " and ".join(repr(name) for name in await served.names(write.connection, environment_ids))


def _named(environment: str | None) -> str:
    return "no environment" if environment is None else f"the environment {environment!r}"
