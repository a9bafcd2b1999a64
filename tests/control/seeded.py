"""Rows that tests of publishing and of resolve calls begin with, written by plain SQL.

Each function writes one row and returns its identifier. `change` and `remove` write as the admin API does: the change
and what it announces in one transaction.
"""

from __future__ import annotations

from typing import Any

from control.store.outbox import touch_gateways
from control.store.pool import Connection, Pool, transaction
from core.identifiers import new_id
from core.tokens import digest, new_token

SCHEMA = {"type": "object", "properties": {}}


async def user(conn: Connection, name: str = "ann", role: str = "member") -> str:
    found = new_id()
    await conn.execute(
        "insert into users (id, name, email, role) values ($1, $2, $3, $4)", found, name, f"{found}@x.test", role
    )
    return found


async def team(conn: Connection, name: str, *members: str) -> str:
    found = new_id()
    await conn.execute("insert into teams (id, name) values ($1, $2)", found, name)
    for member in members:
        await conn.execute(
            "insert into memberships (team_id, user_id, role) values ($1, $2, 'member')", found, member
        )
    return found


async def token(conn: Connection, *, user: str | None = None, team: str | None = None) -> str:
    """Returns the token's digest."""
    found = digest(new_token())
    kind = "user" if user else "team" if team else "organisation"
    await conn.execute(
        "insert into tokens (id, digest, name, kind, user_id, team_id) values ($1, $2, 'test', $3, $4, $5)",
        new_id(), found, kind, user, team,
    )  # fmt: skip
    return found


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
        "user_id": user, "team_id": team, "state": "ready", "bound_origin": origin, **columns,
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
    async with transaction(pool) as conn:
        await conn.execute("update gateways set name = $2 where id = $1", gateway_id, name)
        await touch_gateways(conn, [gateway_id])


async def _insert(conn: Connection, table: str, values: dict[str, Any]) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await conn.execute(f"insert into {table} ({', '.join(values)}) values ({places})", *values.values())
