"""What an entry says over its server's Deployment, judged when the entry is saved, and shown to whoever writes it.

Held against a sample of the entry: with what it sets and asks, and without a secret. The same judges look again
before each server runs, since what an override stands beside may change.
"""

from collections.abc import Awaitable, Callable, Sequence

from control.changes.refusals import NotAllowed
from control.changes.safeguards import Safeguards
from control.changes.write import Write, rehearsing
from control.orchestrator.deployment import deployment
from control.orchestrator.override.faults import Fault
from control.orchestrator.override.preview import Preview, preview
from control.registry.access import Caller
from control.registry.actions import lacking
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry, Reached
from control.registry.environment import Environment
from control.registry.override_fence import out_of_place
from control.registry.self_hosted import SelfHosted
from control.servers.runtime import Refused, Runtime
from control.servers.sample import sample_of
from control.servers.wanted import WantedServer
from control.store import environments
from control.store.pool import Connection, Pool

FIELD = "run.override"
MOST_TOLD = 8
"""Things that are wrong, of one refusal."""


def refuse_to_override(write: Write, asked: Reached, before: Entry | None) -> None:
    """NotAllowed for an actor who may not say, change or take away what is said over a Deployment."""
    was = before.reached if before is not None else None
    if override_of(asked) != override_of(was) and not write.actor.may("entry:override"):
        raise NotAllowed(lacking("entry:override"))


async def check_override(connection: Connection, safeguards: Safeguards, entry: Entry) -> None:
    """BrokenRule with all that is wrong with the override of an entry as it is to be."""
    if not override_of(entry.reached):
        return
    found = await previewed(connection, safeguards, entry)
    if found.faults:
        raise BrokenRule(FIELD, told(found.faults))


async def previewed(connection: Connection, safeguards: Safeguards, entry: Entry, text: str | None = None) -> Preview:
    """What would run of the entry; `text`: as it would be with this override. BrokenRule where we do not run it."""
    run, where = _run_of(entry), await _where(connection, entry)
    text = run.override if text is None else text
    restricted = await environments.restricted(connection) if text else []
    wanted = sample_of(entry, run, entry.run_secret_names, where)
    return preview(deployment(wanted, safeguards.defaults), text, out_of_place(text, where, restricted))


async def tried_out(
    pool: Pool, actor: Caller, runtime: Runtime | None, change: Callable[[Write], Awaitable[Entry]]
) -> str:
    """Have the cluster say whether it would run an entry as a change makes it: '' where it would, else why it was not
    asked; BrokenRule where it would not. Nothing is changed yet, and no transaction waits for the cluster. Raises
    what the change raises.
    """
    if runtime is None:
        return ""
    made: list[WantedServer] = []
    async with rehearsing(pool, actor) as write:
        entry = await change(write)
        if override_of(entry.reached):
            where = await _where(write.connection, entry)
            made.append(sample_of(entry, _run_of(entry), entry.run_secret_names, where))
    try:
        return await runtime.try_out(made[0]) if made else ""
    except Refused as why:
        raise BrokenRule(FIELD, f"is not taken by the cluster: {why.message}") from None


def override_of(reached: Reached | None) -> str:
    """What is said over the Deployment; '' for nothing, and of a server that runs elsewhere."""
    return reached.override if isinstance(reached, SelfHosted) else ""


def told(faults: Sequence[Fault]) -> str:
    """All that is wrong as one sentence, or as much of it as somebody reads."""
    more = [f"and {len(faults) - MOST_TOLD} more"] if len(faults) > MOST_TOLD else []
    return "; ".join([*map(str, faults[:MOST_TOLD]), *more])


def _run_of(entry: Entry) -> SelfHosted:
    if not isinstance(entry.reached, SelfHosted):
        raise BrokenRule(FIELD, "goes with a server that Archway runs")
    return entry.reached


async def _where(connection: Connection, entry: Entry) -> Environment | None:
    return await environments.one(connection, entry.environment_id) if entry.environment_id else None
