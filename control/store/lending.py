"""SQL that finds the tools of gateways that are called with a team's credential by others than that team."""

from collections.abc import Sequence
from typing import Final

from control.registry.lending import Lent
from control.store.pool import Connection
from control.store.rows import made

_LENT: Final = """
    select a.id as assignment_id, a.gateway_id, a.exposed_name, i.name as installation, t.name as team,
        case g.visibility
            when 'organisation' then array['everybody']
            when 'personal' then array(
                select u.email from users u where u.id = g.owner_id
                    and not exists (select 1 from memberships m where m.user_id = u.id and m.team_id = i.team_id))
            else array(
                select o.name from gateway_teams s join teams o on o.id = s.team_id
                where s.gateway_id = g.id and s.team_id <> i.team_id order by lower(o.name))
        end as others
    from assignments a join gateways g on g.id = a.gateway_id
    join installations i on i.id = a.installation_id join teams t on t.id = i.team_id
    where a.gateway_id = any($1::uuid[])
    order by a.exposed_name
"""


async def lent_on(connection: Connection, gateway_ids: Sequence[str]) -> list[Lent]:
    """What these gateways lend to others than its team, by exposed name."""
    rows = await connection.fetch(_LENT, list(gateway_ids))
    return [made(Lent, row) for row in rows if row["others"]]
