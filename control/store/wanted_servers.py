"""SQL that says which installations have a server that is to run, and whether anything of it changed.

Called by the loop over these servers (`control/servers/loop.py`), by way of `control/hosted_servers.py`.
"""

from control.store.pool import Connection


async def versions(connection: Connection) -> dict[str, str]:
    """Each installation whose server is to run, with a word that is another one after each change of it or its entry
    that may matter to what runs.
    """
    rows = await connection.fetch(
        """select i.id, concat_ws('.', e.version, i.credential_version, i.restarts_wanted, i.state = 'needs_sign_in')
               as word
           from installations i join entries e on e.id = i.entry_id
           where e.kind = 'self_hosted'"""
    )
    return {row["id"]: row["word"] for row in rows}
