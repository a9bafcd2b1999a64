"""Rows that tests of publishing and of resolve calls begin with.

Each function writes one row and returns its identifier. `control/changes/` makes people, and changes and deletes
gateways, so that what is announced is what the admin API announces; the rest is plain SQL.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from control.changes import gateways, teams, tokens, users
from control.changes.write import Write, changing
from control.registry.access import Caller, Role
from control.registry.team import NewTeam
from control.registry.token import Kind, Use
from control.registry.user import NewUser
from control.store.pool import Connection, Pool
from core.identifiers import new_id

SEEDER = Caller(user_id="", name="seeder", role="admin")
SCHEMA = {"type": "object", "properties": {}}


async def user(conn: Connection, name: str = "ann", role: Role = "member") -> str:
    return (await users.create(Write(conn, SEEDER), NewUser(name=name, email=f"{new_id()}@x.test", role=role))).id


async def team(conn: Connection, name: str, *members: str) -> str:
    write = Write(conn, SEEDER)
    made = await teams.create(write, NewTeam(name=name, description=""))
    for member in members:
        await teams.set_member(write, made.id, member, "member")
    return made.id


async def token(conn: Connection, *, user: str | None = None, team: str | None = None, use: Use = "gateways") -> str:
    """Returns the token's digest."""
    kind: Kind = "user" if user else "team" if team else "organisation"
    wanted = tokens.WantedToken(name="test", use=use, kind=kind, user_id=user, team_id=team)
    made, _secret = await tokens.create(Write(conn, SEEDER), wanted)
    return made.digest


async def entry(conn: Connection, slug: str = "github", **columns: Any) -> str:
    values = {
        "id": new_id(), "slug": slug, "name": slug.title(), "kind": "remote", "url": f"https://{slug}.test/mcp",
        "credential": {"kind": "none"}, **columns,
    }  # fmt: skip
    await _insert(conn, "entries", values)
    return str(values["id"])


async def tool(conn: Connection, entry_id: str, name: str = "search", **columns: Any) -> str:
    values = {
        "id": new_id(), "entry_id": entry_id, "kind": "tool", "upstream_name": name, "name": name,
        "definition": {"name": name, "inputSchema": SCHEMA}, "definition_sha256": "0" * 64, **columns,
    }  # fmt: skip
    await _insert(conn, "entry_tools", values)
    return str(values["id"])


async def installation(
    conn: Connection, entry_id: str, *, user: str | None = None, team: str | None = None, **columns: Any
) -> str:
    scope = "personal" if user else "team" if team else "organisation"
    origin = await conn.fetchval("select substring(url from '^[^/]+//[^/]+') from entries where id = $1", entry_id)
    values = {
        "id": new_id(), "entry_id": entry_id, "name": f"{scope} one", "scope": scope,
        "user_id": user, "team_id": team, "state": "ready", "is_default": True, "bound_origin": origin, **columns,
    }  # fmt: skip
    await _insert(conn, "installations", values)
    return str(values["id"])


async def gateway(conn: Connection, slug: str = "work", *, teams: tuple[str, ...] = (), **columns: Any) -> str:
    values = {
        "id": new_id(), "slug": slug, "name": slug.title(), "visibility": "teams" if teams else "organisation",
        **columns,
    }  # fmt: skip
    await _insert(conn, "gateways", values)
    for one in teams:
        await conn.execute("insert into gateway_teams (gateway_id, team_id) values ($1, $2)", values["id"], one)
    return str(values["id"])


async def assignment(
    conn: Connection, gateway_id: str, tool_id: str, exposed: str = "search", installation: str | None = None
) -> str:
    found = new_id()
    values = {"id": found, "gateway_id": gateway_id, "tool_id": tool_id, "exposed_name": exposed}
    await _insert(conn, "assignments", {**values, "installation_id": installation})
    return found


async def rename_gateway(pool: Pool, gateway_id: str, name: str) -> None:
    async with changing(pool, SEEDER) as write:
        await gateways.change(write, gateway_id, lambda now: replace(now, name=name))


async def remove_gateway(pool: Pool, gateway_id: str) -> None:
    async with changing(pool, SEEDER) as write:
        await gateways.delete(write, gateway_id)


async def _insert(conn: Connection, table: str, values: dict[str, Any]) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await conn.execute(f"insert into {table} ({', '.join(values)}) values ({places})", *values.values())
