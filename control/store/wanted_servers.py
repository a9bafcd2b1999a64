"""SQL that says which installations have a server that is to run, and whether anything of it changed.

Called by the loop over these servers (`control/servers/loop.py`), by way of `control/hosted_servers.py`.
"""

from control.store.pool import Connection


async def versions(connection: Connection) -> dict[str, str]:
    """Each installation whose server is to run, with a word that is another one after each change of it or its entry
    that may matter to what runs: of its environment too, and, in a restricted one, of what its placer holds.
    """
    rows = await connection.fetch(
        """select i.id, concat_ws('.', e.version, i.credential_version, i.restarts_wanted, i.state = 'needs_sign_in',
               v.version, case when v.restricted then concat_ws(':', p.role, p.disabled_at is null, (
                   select string_agg(concat_ws(':', h.role_id, r.version), ' ' order by h.role_id)
                   from role_holders h join roles r on r.id = h.role_id
                   where h.user_id = p.id and h.team_id is null)) end) as word
           from installations i join entries e on e.id = i.entry_id
           left join environments v on v.id = e.environment_id left join users p on p.id = e.placed_by
           where e.kind = 'self_hosted'"""
    )
    return {row["id"]: row["word"] for row in rows}
