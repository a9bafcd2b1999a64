"""What there is to choose in the form of a gateway: who sees it, whose tokens it takes, which clients it names.

Called by the pages that make and change one. What may be chosen is judged by `control/changes/gateways.py`; this only
leaves out what it would refuse, and what the person may not be told of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from control.console.environment_choices import environment_choices
from control.registry.access import Caller
from control.registry.actions import Action
from control.registry.gateway import GatewayFields
from control.registry.visibility import VisibilityKind
from control.store import identity_providers, names_by_id, oauth_clients, teams
from control.store.pool import Connection

_MOST: Final = 200
_MOST_CLIENTS: Final = 50
_KINDS: Final[tuple[tuple[VisibilityKind, str], ...]] = (
    ("organisation", "Everybody here"),
    ("teams", "Members of some teams"),
    ("personal", "Its owner alone"),
)


@dataclass(frozen=True, slots=True)
class GatewayChoices:
    """What can be chosen: pairs of value and label."""

    visibilities: Sequence[tuple[VisibilityKind, str]]
    teams: Sequence[tuple[str, str]]
    providers: Sequence[tuple[str, str]] | None
    """None for a person who may see no identity provider."""
    clients: Sequence[tuple[str, str]]
    """OAuth clients by `client_id`, to copy from: those that the person may see."""
    environments: Sequence[tuple[str, str]]


async def gateway_choices(
    connection: Connection, caller: Caller, action: Action, before: GatewayFields | None = None
) -> GatewayChoices:
    """What this person can choose for a new gateway, or for the one that was `before`."""
    shared = caller.may(action)
    return GatewayChoices(
        [one for one in _KINDS if shared or one[0] == "personal"],
        await _teams(connection, caller, before) if shared else [],
        await _providers(connection) if caller.may("identity_provider:read") else None,
        await _clients(connection) if caller.may("oauth_client:read") else [],
        await environment_choices(connection, caller, before.environments if before else ()),
    )


async def _teams(connection: Connection, caller: Caller, before: GatewayFields | None) -> list[tuple[str, str]]:
    """Those that the person may see, and those that the gateway has already."""
    member = None if caller.may("team:read") else caller.user_id
    found = {one.id: one.name for one in await teams.page(connection, limit=_MOST, after=None, member=member)}
    chosen = [] if before is None else [one for one in before.teams if one not in found]
    return [*found.items(), *(await names_by_id.teams(connection, chosen)).items()]


async def _providers(connection: Connection) -> list[tuple[str, str]]:
    found = await identity_providers.page(connection, limit=_MOST, after=None)
    return [("", "None"), *((one.id, one.name) for one in found)]


async def _clients(connection: Connection) -> list[tuple[str, str]]:
    found = await oauth_clients.page(connection, limit=_MOST_CLIENTS, after=None)
    return [(one.client_id, one.name) for one in found]
