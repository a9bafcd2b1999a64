"""That the servers of a team stay within the quota of an environment: `quota_before` is called before a change of
what runs there, and `refuse_over` after it, in the same transaction. The environment's row is locked between, so that
two at once do not both find room.

It counts for who makes servers, or lets them grow: an installation that is made, an entry that moves, runs here now,
becomes another's or asks for more. A quota that is lowered, or resources that an environment gives to all, refuse
nothing that is there: that is an admin's word, and to end servers of people who did nothing would be no help. So the
loop that keeps servers running does not look at quotas either.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from control.changes.refusals import NotNow
from control.changes.write import Write
from control.registry.entry import EntryFields
from control.registry.environment import Environment, Quota
from control.registry.self_hosted import SelfHosted
from control.registry.usage import Usage, why_over
from control.store import environments, usage


@dataclass(frozen=True, slots=True)
class QuotaBefore:
    """An environment with a quota, and what the servers of each team are there before a change."""

    environment: Environment
    used: Mapping[str | None, Usage]


async def quota_before(write: Write, entry: EntryFields) -> QuotaBefore | None:
    """What a change of this entry, or of its installations, may not take too much of; None where nothing limits it.
    Locks the environment, after the entry and its gateways.
    """
    if entry.environment_id is None or not isinstance(entry.reached, SelfHosted):
        return None
    found = await environments.one(write.connection, entry.environment_id, lock=True)
    if found is None or found.quota == Quota():
        return None
    return QuotaBefore(found, {one.team_id: one.usage for one in await usage.of_environment(write.connection, found)})


async def refuse_over(write: Write, quota: QuotaBefore | None) -> None:
    """Raise NotNow where a team's servers have grown over the quota: with what is used, asked for and allowed, if the
    actor may see that of the team.
    """
    if quota is None:
        return
    for one in await usage.of_environment(write.connection, quota.environment):
        why = why_over(quota.environment.quota, quota.used.get(one.team_id, Usage()), one.usage)
        if why:
            seen = one.team_id is None or one.team_id in write.actor.teams or write.actor.may("team:read")
            named = "what belongs to no team" if one.team is None else f"the team {one.team!r}"
            whose = f"{named} ({why})" if seen else "a team of others"
            raise NotNow(
                f"The environment {quota.environment.name!r} has no room left for {whose}. "
                "Delete installations there, lower the resources of the entry, or ask an admin for a larger quota."
            )
