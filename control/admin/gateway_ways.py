"""Which ways into gateways are shut, for whoever reads a gateway: the admin API and the pages alike.

    ways = await shut(connection, found, pages_kept=True)
    ways[gateway.id].reason, ways[gateway.id].warnings

The rules are in `control/registry/gateway_ways.py`. One or two statements for a whole list; a third where only a
token could open some of it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from control.registry.gateway import Gateway
from control.registry.gateway_ways import ClientState, WaysIn, may_be_shut, shut_ways
from control.registry.provider_warnings import gateway_warning
from control.store import gateway_ways, identity_providers
from control.store.pool import Connection


@dataclass(frozen=True, slots=True)
class ShutWays:
    """What is said of the ways into one gateway."""

    reason: str
    """Why nobody can come in; '' where somebody can."""
    warnings: tuple[str, ...]


async def shut(connection: Connection, found: Sequence[Gateway], *, pages_kept: bool) -> dict[str, ShutWays]:
    """Of each gateway, which ways are shut. `pages_kept`: whether people can sign in at all."""
    clients = await _clients(connection, found)
    providers = await _providers(connection, found)
    in_doubt = [one.id for one in found if may_be_shut(clients[one.id], providers[one.id], pages_kept=pages_kept)]
    opened = await gateway_ways.with_a_token(connection, in_doubt) if in_doubt else set()
    shown: dict[str, ShutWays] = {}
    for one in found:
        ways = WaysIn(
            one.slug,
            clients[one.id],
            pages_kept,
            providers[one.id],
            has_token=one.id not in in_doubt or one.id in opened,
        )
        reason, warnings = shut_ways(ways)
        shown[one.id] = ShutWays(reason, tuple(warnings))
    return shown


async def _clients(connection: Connection, found: Sequence[Gateway]) -> dict[str, Mapping[str, ClientState]]:
    """The clients that each gateway names. One with a document of its own needs no row before it first comes."""
    named = {client for one in found for client in one.allowed_clients}
    rows = await gateway_ways.clients_named(connection, named) if named else {}
    states: dict[str, ClientState] = {
        client: ("there" if rows[client] else "shut out")
        if client in rows
        else ("there" if client.startswith(("https:", "http:")) else "gone")
        for client in named
    }
    return {one.id: {client: states[client] for client in one.allowed_clients} for one in found}


async def _providers(connection: Connection, found: Sequence[Gateway]) -> dict[str, str | None]:
    """Of each gateway, why it takes no tokens of the provider that it names; None where it names none."""
    named = {one.identity_provider_id for one in found if one.identity_provider_id is not None}
    providers = await identity_providers.many(connection, named) if named else {}
    states = await identity_providers.states(connection, named) if named else {}
    return {
        one.id: gateway_warning(
            providers[one.identity_provider_id],
            one.identity_provider_audience,
            states[one.identity_provider_id],
            time.time(),
        )
        if one.identity_provider_id is not None
        else None
        for one in found
    }
