"""SQL that reads gateways: the named endpoints, who sees them, and what their usability is judged by.

Written in `writes/gateways.py`. The revision is raised by `touch_gateways` (`outbox.py`) and by nothing else.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from control.registry.access import Caller
from control.registry.audience import Audience
from control.registry.counted import counted
from control.registry.gateway import Gateway
from control.registry.held_hosts import shut_out
from control.registry.usability import AssignedTool
from control.store import entries
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, place_of

SELECT: Final = """
    select g.*, array(select t.team_id from gateway_teams t where t.gateway_id = g.id order by t.team_id) as teams,
        array(select s.environment_id from gateway_environments s where s.gateway_id = g.id order by s.environment_id)
            as environments
    from gateways g
"""
VISIBLE: Final = """
    ($1 or g.visibility = 'organisation' or g.owner_id = $2::uuid
        or (g.visibility = 'teams'
            and exists (select 1 from gateway_teams t where t.gateway_id = g.id and t.team_id = any($3::uuid[]))))
"""


@dataclass(frozen=True, slots=True)
class GoesWithGateway:
    """What a gateway's deletion takes along."""

    people: int
    """Who allowed a client to call it for them."""
    clients: list[str]
    """Names of these clients, and of those that call for themselves."""


async def one(connection: Connection, gateway_id: str, *, lock: bool = False) -> Gateway | None:
    """The gateway with this identifier; locked for a change."""
    if lock:
        # By itself: a statement that waited for the lock would see the teams and environments of before.
        await connection.execute("select from gateways where id = $1 for update", gateway_id)
    row = await connection.fetchrow(SELECT + "where g.id = $1", gateway_id)
    return None if row is None else made(Gateway, row)


async def named(connection: Connection, name: str) -> Gateway | None:
    """The gateway with this slug or identifier."""
    row = await connection.fetchrow(SELECT + "where g.slug = $1 or g.id::text = $1", name)
    return None if row is None else made(Gateway, row)


async def many(connection: Connection, gateway_ids: Collection[str]) -> dict[str, Gateway]:
    """The gateways with these identifiers, by identifier."""
    rows = await connection.fetch(SELECT + "where g.id = any($1::uuid[])", list(gateway_ids))
    return {row["id"]: made(Gateway, row) for row in rows}


async def naming_client(connection: Connection, client_id: str) -> list[Gateway]:
    """The gateways that name this client, as its tokens have it, among those that they let in; by name."""
    rows = await connection.fetch(
        SELECT + f"where $1 = any(g.allowed_clients) {in_order('g.name', 'g.id')}", client_id
    )
    return [made(Gateway, row) for row in rows]


async def of_providers(connection: Connection, provider_ids: Collection[str]) -> list[Gateway]:
    """The gateways that take tokens of one of these identity providers; by name."""
    rows = await connection.fetch(
        SELECT + f"where g.identity_provider_id = any($1::uuid[]) {in_order('g.name', 'g.id')}", list(provider_ids)
    )
    return [made(Gateway, row) for row in rows]


async def page(
    connection: Connection,
    *,
    limit: int,
    after: Place | None,
    everything: bool,
    user_id: str | None,
    teams: Sequence[str],
    label: Mapping[str, str] | None = None,
) -> list[Gateway]:
    """Gateways by name, behind `after`. `everything`: all; else those that the user or one of `teams` sees."""
    rows = await connection.fetch(
        SELECT
        + "where"
        + VISIBLE
        + f"""and {behind(5, "g.name", "g.id")}
             and ($7::jsonb is null or g.labels @> $7)
           {in_order("g.name", "g.id")} limit $4""",
        everything, user_id, list(teams), limit, *place_of(after), dict(label) if label else None,
    )  # fmt: skip
    return [made(Gateway, row) for row in rows]


async def audiences(connection: Connection, gateway_ids: Sequence[str]) -> dict[str, Audience]:
    """Who sees each gateway and is not shut out."""
    rows = await connection.fetch(
        """with seen as (
               select g.*, array(select t.team_id from gateway_teams t where t.gateway_id = g.id) as teams
               from gateways g where g.id = any($1::uuid[])
           ), admitting as (
               select p.id, p.name, array(select r ->> 'team_id' from jsonb_array_elements(p.team_rules) r) as teams
               from identity_providers p where p.enabled and p.admits_external and p.teams_claim <> ''
           )
           select g.id, (
               select count(*) from users u where u.disabled_at is null and (
                   g.visibility = 'organisation' or u.id = g.owner_id
                   or exists (select from memberships m
                              where m.team_id = any(g.teams) and m.user_id = u.id))) as people,
               (select count(*) from oauth_clients c
                where c.acts = 'by_itself' and c.disabled_at is null
                  and (g.visibility = 'organisation' or c.team_id = any(g.teams))
                  and (g.allowed_clients = '{}' or c.client_id = any(g.allowed_clients))) as accounts,
               (select count(*) from tokens t
                where t.use = 'gateways' and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
                  and t.team_id = any(g.teams)) as tokens,
               coalesce(case when g.teams::text[] && p.teams then p.name end, '') as external_by,
               coalesce(case when not exists (
                   select from gateways o join gateway_teams t on t.gateway_id = o.id
                   where o.identity_provider_id = p.id and t.team_id::text = any(p.teams)) then p.name end, '')
                   as unseen_by
           from seen g left join admitting p on p.id = g.identity_provider_id""",
        list(gateway_ids),
    )
    return {row["id"]: Audience(**{name: row[name] for name in columns_of(Audience)}) for row in rows}


async def showing_in_words(
    connection: Connection,
    caller: Caller,
    *,
    entry_id: str | None = None,
    installation_id: str | None = None,
    limit: int = 20,
) -> list[str]:
    """Gateways that show tools or offers of an entry, or those pinned to an installation, for a sentence: by slug
    those that the caller may see, the others together.
    """
    rows = await connection.fetch(
        f"""select slug, count(*) filter (where kind not in ('resources', 'prompts')) as tools,
                array_agg(distinct kind) filter (where kind in ('resources', 'prompts')) as offers from (
                select case when {VISIBLE} then g.slug end as slug, t.kind from assignments a
                join entry_tools t on t.id = a.tool_id join gateways g on g.id = a.gateway_id
                where ($4::uuid is null or t.entry_id = $4) and ($5::uuid is null or a.installation_id = $5)
            ) seen group by slug order by slug nulls last limit $6""",
        caller.may("gateway:read"), caller.user_id or None, list(caller.teams), entry_id, installation_id, limit,
    )  # fmt: skip
    return [
        f"{_shown_in_words(row['tools'], row['offers'] or [])} on "
        + ("gateways of others" if row["slug"] is None else f"the gateway {row['slug']!r}")
        for row in rows
    ]


def _shown_in_words(tools: int, offers: Sequence[str]) -> str:
    return " and ".join([counted(tools, "tool")] * bool(tools) + [f"the {kind}" for kind in offers])


async def assigned_tools(connection: Connection, gateway_ids: Sequence[str]) -> dict[str, list[AssignedTool]]:
    """What usability asks of the assignments of each gateway, in the order of their names."""
    rows = await connection.fetch(
        """select a.gateway_id, a.exposed_name, t.kind, t.state as tool_state, t.missing_since is not null as missing,
               t.changed_at is not null as changed, e.slug as entry_slug,
               case when e.kind = 'remote' and e.environment_id is not null then e.id end as held_entry,
               coalesce(t.definition #>> '{execution,taskSupport}' = 'required', false) as only_as_task,
               i.name as installation, i.state as installation_state,
               (select count(*) from installations o where o.entry_id = t.entry_id and o.state = 'ready')::int
                   as installations_ready
           from assignments a
           join entry_tools t on t.id = a.tool_id
           join entries e on e.id = t.entry_id
           left join installations i on i.id = a.installation_id
           where a.gateway_id = any($1::uuid[]) order by a.exposed_name""",
        list(gateway_ids),
    )
    found: dict[str, list[AssignedTool]] = {gateway_id: [] for gateway_id in gateway_ids}
    held = await entries.many(connection, {row["held_entry"] for row in rows if row["held_entry"]})
    by = {one.id: one.held.environment for one in held.values() if one.held is not None and shut_out(one)}
    for row in rows:
        one = made(AssignedTool, row, shut_out_by=by.get(row["held_entry"], ""))
        found[row["gateway_id"]].append(one)
    return found


async def goes_with(connection: Connection, gateway_id: str) -> GoesWithGateway:
    """What deleting the gateway will take along."""
    row = await connection.fetchrow(
        """with held as (
               select g.user_id, c.name from oauth_grants g join oauth_clients c on c.id = g.client_id
               where g.gateway_id = $1 and g.redeemed_at is not null and g.revoked_at is null
                 and g.expires_at > now())
           select (select count(distinct user_id) from held)::int as people,
               array(select name from held group by name order by lower(name)) as clients""",
        gateway_id,
    )
    return made(GoesWithGateway, row)
