"""SQL that reads identity providers, and what was last seen of each. Written in `writes/identity_providers.py`."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from control.registry.identity_provider import IdentityProvider, ProviderState
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, listed, place_of

COLUMNS: Final = columns_of(IdentityProvider)
_SELECT: Final = f"select {listed(COLUMNS)} from identity_providers "
_STATES: Final = f"select {listed(columns_of(ProviderState))} from identity_provider_states "


async def one(connection: Connection, provider_id: str, *, lock: bool = False) -> IdentityProvider | None:
    """The provider with this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where id = $1" + (" for update" if lock else ""), provider_id)
    return None if row is None else made(IdentityProvider, row)


async def some(connection: Connection, provider_ids: Iterable[str]) -> dict[str, IdentityProvider]:
    """Those with these identifiers, by them."""
    rows = await connection.fetch(_SELECT + "where id = any($1::uuid[])", list(provider_ids))
    return {one.id: one for one in (made(IdentityProvider, row) for row in rows)}


async def by_issuer(connection: Connection, issuer: str) -> IdentityProvider | None:
    """The provider whose tokens name this issuer, byte for byte; None also for one that is switched off."""
    row = await connection.fetchrow(_SELECT + "where issuer = $1 and enabled", issuer)
    return None if row is None else made(IdentityProvider, row)


async def by_slug(connection: Connection, slug: str) -> IdentityProvider | None:
    """The provider that people sign in with under this name; None for one that they do not sign in with."""
    row = await connection.fetchrow(_SELECT + "where slug = $1 and enabled and sign_in", slug)
    return None if row is None else made(IdentityProvider, row)


async def for_sign_in(connection: Connection) -> list[IdentityProvider]:
    """The providers that people may sign in with, by name."""
    rows = await connection.fetch(_SELECT + f"where enabled and sign_in {in_order('name', 'id')}")
    return [made(IdentityProvider, row) for row in rows]


async def all_enabled(connection: Connection) -> list[IdentityProvider]:
    """The providers that are in use, by name."""
    rows = await connection.fetch(_SELECT + f"where enabled {in_order('name', 'id')}")
    return [made(IdentityProvider, row) for row in rows]


async def many(connection: Connection, provider_ids: Collection[str]) -> dict[str, IdentityProvider]:
    """The providers with these identifiers, by identifier."""
    rows = await connection.fetch(_SELECT + "where id = any($1::uuid[])", list(provider_ids))
    return {row["id"]: made(IdentityProvider, row) for row in rows}


async def page(
    connection: Connection, *, limit: int, after: Place | None, slug: str | None = None
) -> list[IdentityProvider]:
    """Providers by name, behind `after`."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "name", "id")} and ($4::text is null or slug = $4)
              {in_order("name", "id")} limit $1""",
        limit, *place_of(after), slug,
    )  # fmt: skip
    return [made(IdentityProvider, row) for row in rows]


async def states(connection: Connection, provider_ids: Collection[str]) -> dict[str, ProviderState]:
    """What was last seen of these providers, by identifier; an empty state for one that was never asked."""
    found = {provider_id: ProviderState(provider_id=provider_id) for provider_id in provider_ids}
    for row in await connection.fetch(_STATES + "where provider_id = any($1::uuid[])", list(provider_ids)):
        found[row["provider_id"]] = made(ProviderState, row)
    return found


async def state(connection: Connection, provider_id: str, *, lock: bool = False) -> ProviderState:
    """What was last seen of this provider; locked for a change."""
    row = await connection.fetchrow(_STATES + "where provider_id = $1" + (" for update" if lock else ""), provider_id)
    return ProviderState(provider_id=provider_id) if row is None else made(ProviderState, row)


async def gateways_of(connection: Connection, provider_id: str) -> dict[str, str]:
    """The gateways that take this provider's tokens: identifier to slug."""
    rows = await connection.fetch(
        "select id, slug from gateways where identity_provider_id = $1 order by slug", provider_id
    )
    return {row["id"]: row["slug"] for row in rows}


async def entries_of(connection: Connection, provider_id: str) -> dict[str, str]:
    """The entries whose servers get tokens that this provider gives for callers: identifier to slug."""
    rows = await connection.fetch(
        "select id, slug from entries where credential ->> 'identity_provider_id' = $1 order by slug", provider_id
    )
    return {row["id"]: row["slug"] for row in rows}


async def audiences_of(connection: Connection, provider_id: str) -> set[str]:
    """What this provider's tokens may be for: what a gateway names, and the provider's settings allow."""
    rows = await connection.fetch(
        """select distinct g.identity_provider_audience as audience
           from gateways g join identity_providers p on p.id = g.identity_provider_id
           where p.id = $1 and g.identity_provider_audience = any(p.audiences)""",
        provider_id,
    )
    return {row["audience"] for row in rows}


@dataclass(frozen=True, slots=True)
class NamedByGateway:
    """Whose tokens a gateway takes, and what those must be for."""

    issuer: str
    audience: str


async def of_gateway(connection: Connection, gateway_id: str) -> NamedByGateway | None:
    """Whose tokens the gateway takes; None where it takes none, or the provider is switched off or allows this
    audience no more.
    """
    row = await connection.fetchrow(
        """select p.issuer, g.identity_provider_audience as audience
           from gateways g join identity_providers p on p.id = g.identity_provider_id and p.enabled
           where g.id = $1 and g.identity_provider_audience = any(p.audiences)""",
        gateway_id,
    )
    return None if row is None else NamedByGateway(**row)
