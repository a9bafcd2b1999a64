"""SQL that says which ways into gateways are there: the clients that they name, and tokens of those who see them.

Called where gateways are judged for their admins (`control/admin/gateway_ways.py`).
"""

from collections.abc import Collection, Sequence

from control.store.pool import Connection


async def clients_named(connection: Connection, client_ids: Collection[str]) -> dict[str, bool]:
    """Which of these clients have a row: whether each is let in, by what it calls itself."""
    rows = await connection.fetch(
        "select client_id, disabled_at is null as is_in from oauth_clients where client_id = any($1::text[])",
        list(client_ids),
    )
    return {row["client_id"]: row["is_in"] for row in rows}


async def with_a_token(connection: Connection, gateway_ids: Sequence[str]) -> set[str]:
    """Those of these gateways that somebody could call with a token: one for gateways that is accepted, of a bearer
    who sees it.
    """
    rows = await connection.fetch(
        """select g.id from gateways g where g.id = any($1::uuid[]) and exists (
               select from tokens t left join users u on u.id = t.user_id
               where t.use = 'gateways' and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
                 and u.disabled_at is null
                 and (g.visibility = 'organisation'
                      or (g.visibility = 'personal' and t.user_id = g.owner_id)
                      or (g.visibility = 'teams' and exists (
                              select from gateway_teams s where s.gateway_id = g.id and (
                                  s.team_id = t.team_id
                                  or exists (select from memberships m
                                             where m.team_id = s.team_id and m.user_id = t.user_id))))))""",
        list(gateway_ids),
    )
    return {row["id"] for row in rows}
