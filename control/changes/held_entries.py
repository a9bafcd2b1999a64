"""What a changed egress policy means for the remote entries that are held to it.

Called by the changes of environments and of presets once their rows are written, and by those of entries:

    now = await held_now(write, [environment_id])
    await write.announce(entries=now.entries, installations_over=now.installations_over)

Of these, the ones that were unreachable are asked again, once, where the policy does not shut them out now.
Servers that Archway runs are held in another way: whoever runs them looks at the rows.
"""

from collections.abc import Collection
from dataclasses import dataclass

from control.changes.write import Write
from control.registry.entry import Entry
from control.registry.held_hosts import is_permitted, shut_out
from control.store import entries, installations
from control.store.writes import installations as rows


@dataclass(frozen=True, slots=True)
class HeldNow:
    """The remote entries of some environments, as proxies have to hear of them when the egress policy has changed."""

    entries: list[str]
    """Identifiers of the remote entries: proxies ask again to what these are held."""
    installations_over: list[str]
    """Those of their installations whose open streams and sessions may be with a server that is allowed no more."""
    shut_out: list[str]
    """Slugs of those whose calls are refused from now on, as far as the names in their URLs say it."""


async def held_now(write: Write, environment_ids: Collection[str]) -> HeldNow:
    """What becomes of the remote entries in these environments, as their policies are now."""
    inside = await entries.remote_in(write.connection, environment_ids)
    await ask_again(write, inside)
    return HeldNow(
        [one.id for one in inside],
        await may_be_over(write, [one for one in inside if one.held is not None]),
        [one.slug for one in inside if shut_out(one)],
    )


async def ask_again(write: Write, held_to_another: Collection[Entry]) -> None:
    """Have the unreachable servers of these asked again, of which a policy may have been the cause."""
    let_in = [one.id for one in held_to_another if not shut_out(one)]
    if let_in:
        await rows.ask_again(write, let_in)


async def may_be_over(write: Write, held: Collection[Entry]) -> list[str]:
    """Installations of these entries, but for those that are permitted by name: where these lead is known."""
    doubted = [one.id for one in held if not is_permitted(one)]
    return await installations.ids_of(write.connection, doubted)
