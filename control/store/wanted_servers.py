"""SQL that says which installations have a server that is to run, and whether anything of it changed.

Called by the loop over these servers (`control/servers/loop.py`), by way of `control/hosted_servers.py`.
"""

from control.registry.account import MARGIN
from control.store.idle_servers import IDLE_MINUTES
from control.store.pool import Connection


async def versions(connection: Connection) -> dict[str, str]:
    """Each installation whose server is to run, with a word that is another one after each change of it or its entry
    that may matter to what runs: of its environment and its presets too, and, in a restricted one, of what its placer
    holds; and of the account whose token it is started with, and when that has ended; and of whether it is
    asleep.
    """
    rows = await connection.fetch(
        f"""select i.id, concat_ws('.', e.version, i.credential_version, i.restarts_wanted, i.state = 'needs_sign_in',
               v.version, (
                   select string_agg(concat_ws(':', n.preset_id, s.version), ' ' order by n.preset_id)
                   from environment_presets n join egress_presets s on s.id = n.preset_id
                   where n.environment_id = v.id),
               case when coalesce(e.credential ->> 'variable', e.credential ->> 'file') is not null
                   then concat_ws(':', a.version, a.refused_at, a.expires_at <= now() + $1::interval) end,
               case when v.restricted then concat_ws(':', p.role, p.disabled_at is null, (
                   select string_agg(concat_ws(':', h.role_id, r.version), ' ' order by h.role_id)
                   from role_holders h join roles r on r.id = h.role_id
                   where h.user_id = p.id and h.team_id is null)) end,
               case when z.wakes > 0 or z.asleep_since is not null
                   then concat('z', z.wakes, z.asleep_since is not null and {IDLE_MINUTES} > 0) end) as word
           from installations i join entries e on e.id = i.entry_id
           left join environments v on v.id = e.environment_id left join users p on p.id = e.placed_by
           left join accounts a on a.installation_id = i.id left join idle_servers z on z.installation_id = i.id
           where e.kind = 'self_hosted'""",
        MARGIN,
    )
    return {row["id"]: row["word"] for row in rows}
