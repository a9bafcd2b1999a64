"""What the tests of changes share: an admin who makes them, and what a change left behind."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import control.changes
from control.changes import (
    discoveries,
    entries,
    gateways,
    identity_providers,
    installations,
    oauth_grants,
    roles,
    teams,
    tokens,
    users,
)
from control.changes.installations import WantedInstallation
from control.changes.oauth_grants import NewGrant
from control.changes.safeguards import Safeguards
from control.changes.write import Write, changing
from control.registry.access import Caller, Role
from control.registry.entry import Entry
from control.registry.entry_tool import EntryTool
from control.registry.gateway import Gateway
from control.registry.identity import Identity
from control.registry.identity_provider import IdentityProvider
from control.registry.installation import Installation
from control.registry.oauth_client import ClientFields, OAuthClient
from control.registry.oauth_grant import Grant
from control.registry.role import NewRole
from control.registry.role import Role as MadeRole
from control.registry.row_seals import RowSeals
from control.registry.team import NewTeam, Team
from control.registry.token import Kind, Token
from control.registry.tool_definitions import found_tools
from control.registry.user import NewUser, User
from control.store import tools
from control.store.pool import Pool, Row, transaction
from core.egress.addresses import AddressPolicy
from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.tokens import digest
from tests.fakes.providers import provider_fields
from tests.fakes.registry import a_wanted_entry, gateway_fields

ADMIN = Caller(user_id="", name="Ann", role="admin", address="127.0.0.1", request_id="r-1")
SAFEGUARDS = Safeguards(RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key())), AddressPolicy())
REDIRECT = "https://client.example.com/callback"
NOBODY = new_id()
"""An identifier that nothing has."""


async def changed(pool: Pool, *acts: Callable[[Write], Awaitable[Any]]) -> None:
    """All of these in one transaction."""
    async with changing(pool, ADMIN) as write:
        for act in acts:
            await act(write)


async def waiting_for_a_lock(pool: Pool) -> None:
    """Until somebody waits for what another transaction holds."""
    while True:
        async with transaction(pool, readonly=True) as connection:
            if await connection.fetchval(
                "select count(*) from pg_locks l join pg_stat_activity a using (pid) "
                "where not granted and a.datname = current_database()"
            ):
                return


async def new_user(write: Write, name: str, role: Role = "member") -> User:
    return await users.create(write, NewUser(name=name, email=f"{name}@example.com", role=role))


async def new_team(write: Write, name: str, *members: str) -> Team:
    team = await teams.create(write, NewTeam(name=name, description=""))
    for member in members:
        await teams.set_member(write, team.id, member, "member")
    return team


async def new_role(write: Write, name: str, *permissions: str) -> MadeRole:
    return await roles.create(write, NewRole(name=name, description="", permissions=permissions))


async def new_token(write: Write, *, user: str | None = None, team: str | None = None) -> Token:
    kind: Kind = "user" if user else "team" if team else "organisation"
    made, _secret = await tokens.create(write, tokens.WantedToken(name="ci", kind=kind, user_id=user, team_id=team))
    return made


async def new_entry(write: Write, slug: str = "github", **changes: Any) -> Entry:
    return await entries.create(write, SAFEGUARDS, a_wanted_entry(slug=slug, name=slug.title(), **changes))


async def new_installation(write: Write, entry: Entry, **wanted: Any) -> Installation:
    asked = {"scope": "organisation", **wanted}
    return await installations.create(write, SAFEGUARDS, WantedInstallation(entry_id=entry.id, **asked))


async def discovered(
    write: Write, entry: Entry, installation: Installation, *names: str, **definition: Any
) -> list[EntryTool]:
    """The entry has tools of these names."""
    found = found_tools([{"name": name, "inputSchema": {"type": "object"}, **definition} for name in names], [])
    assert await discoveries.keep_server(write, entry, installation, {"era": "modern"}, found.tools)
    return await tools.named(write.connection, entry.id, ["*"])


async def new_provider(write: Write, slug: str, issuer: str, **changes: Any) -> IdentityProvider:
    """An identity provider that may give the role of an editor."""
    wanted = provider_fields(slug=slug, issuer=issuer, **{"highest_role": "editor", **changes})
    return await identity_providers.create(write, wanted, "secret", SAFEGUARDS)


async def new_gateway(write: Write, slug: str = "work", **changes: Any) -> Gateway:
    return await gateways.create(write, gateway_fields(slug=slug, **changes))


def a_client(**changes: Any) -> ClientFields:
    """What a client for people is registered with, in whichever way."""
    usual: dict[str, Any] = {"name": "Claude", "redirect_uris": (REDIRECT,), "auth_method": "client_secret_post"}
    return ClientFields(**{**usual, **changes})


def a_grant(client: OAuthClient, user: str | None, gateway: str) -> NewGrant:
    return NewGrant(
        client_pk=client.id, user_id=user, gateway_id=gateway, scopes=("mcp",), redirect_host="client.example.com"
    )


async def new_grant(write: Write, client: OAuthClient, user: str, gateway: str) -> Grant:
    wanted = a_grant(client, user, gateway)
    return await oauth_grants.allow(write, wanted, digest(user), redirect_uri=REDIRECT, challenge="c" * 43)


async def vouched_grant(write: Write, client: OAuthClient, person: Identity, gateway: str) -> Grant:
    """What a client gets by an assertion about this person."""
    wanted = replace(a_grant(client, person.user_id, gateway), identity_id=person.id)
    return await oauth_grants.allow_by_assertion(write, wanted, person.user_id)


async def forget(pool: Pool) -> None:
    """As if nothing had been recorded or announced so far."""
    async with transaction(pool) as connection:
        await connection.execute("delete from audit")
        await connection.execute("delete from outbox")


async def audit_of(pool: Pool) -> list[Row]:
    """The trail in the order in which it was written; identifiers of one millisecond have none."""
    written = "xmin::text::bigint, cmin::text::bigint"
    async with transaction(pool, readonly=True) as connection:
        return list(await connection.fetch(f"select * from audit order by {written}"))


async def outbox_of(pool: Pool) -> list[tuple[str, str, int]]:
    async with transaction(pool, readonly=True) as connection:
        rows = await connection.fetch("select kind, name, revision from outbox order by id")
    return [(row["kind"], row["name"], row["revision"]) for row in rows]


def changes_of_the_folder() -> dict[str, Callable[..., Any]]:
    """Public coroutines by `file.name`."""
    found: dict[str, Callable[..., Any]] = {}
    for file in pkgutil.iter_modules(control.changes.__path__):
        module = importlib.import_module(f"control.changes.{file.name}")
        for name, one in inspect.getmembers(module, inspect.iscoroutinefunction):
            if one.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{file.name}.{name}"] = one
    return found


ENDS_SESSIONS = {
    "entries.change", "entries.delete", "installations.delete",
    "accounts.connect", "accounts.keep", "accounts.disconnect",
    "server_states.keep",
}  # fmt: skip
"""Changes after which an installation is gone, or has another server or credential; a new name gives it neither."""
