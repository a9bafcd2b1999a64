"""SQL that counts the servers in an environment, by team."""

from dataclasses import dataclass

import msgspec

from control.registry.environment import Environment
from control.registry.self_hosted import Resources
from control.registry.usage import Usage, usage_of
from control.store.pool import Connection


@dataclass(frozen=True, slots=True)
class TeamUsage:
    """What the servers of one team are in an environment; of what belongs to no team, without identifier."""

    team_id: str | None
    team: str | None
    """Its name."""
    usage: Usage


async def of_environment(connection: Connection, environment: Environment) -> list[TeamUsage]:
    """By the teams' names, what belongs to no team last. A server is its installation's team's, else its entry's."""
    rows = await connection.fetch(
        """select coalesce(i.team_id, e.team_id) as team_id, t.name as team, e.run -> 'resources' as resources,
               count(*)::int as servers
           from entries e join installations i on i.entry_id = e.id
           left join teams t on t.id = coalesce(i.team_id, e.team_id)
           where e.environment_id = $1 and e.kind = 'self_hosted'
           group by 1, 2, 3 order by lower(t.name) nulls last, 1""",
        environment.id,
    )
    found: dict[tuple[str | None, str | None], Usage] = {}
    for row in rows:
        own = msgspec.convert(row["resources"] or {}, Resources)
        team = row["team_id"], row["team"]
        found[team] = found.get(team, Usage()) + usage_of(row["servers"], own, environment.resources)
    return [TeamUsage(team_id, name, usage) for (team_id, name), usage in found.items()]
