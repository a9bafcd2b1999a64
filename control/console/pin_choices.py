"""To which installations the tools of a gateway can be pinned, as its pages offer it.

Called by the tool picker and by the page of one assigned tool. Whether a pin may be is judged by the same rule as in
the change (`control/registry/gateway_access.py`); this only leaves out what that would refuse.
"""

from collections.abc import Collection
from typing import Final

from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.gateway import GatewayFields
from control.registry.gateway_access import check_pin
from control.registry.installation import Installation
from control.registry.installing import may_see
from control.registry.owner import Scope
from control.store import installations
from control.store.pool import Connection

AT_CALL_TIME: Final = ("", "Whoever calls: resolved at call time")
"""The choice of no pin."""
_SCOPES: Final[tuple[Scope, ...]] = ("organisation", "team", "service", "personal")
_MOST: Final = 200


async def pin_choices(
    connection: Connection, caller: Caller, gateway: GatewayFields, entry_ids: Collection[str]
) -> dict[str, list[tuple[str, str]]]:
    """Of each of these entries, pairs of identifier and label; the first is no pin at all."""
    choices = {entry_id: [AT_CALL_TIME] for entry_id in entry_ids}
    for scope in _SCOPES:
        for one in await _of_scope(connection, caller, gateway, scope):
            if one.entry_id in choices and _may_pin(caller, gateway, one):
                choices[one.entry_id].append((one.id, label_of(one)))
    return choices


def label_of(installation: Installation) -> str:
    """`GitHub of Support`, with its state where that keeps calls from going through."""
    whose = "the organisation" if installation.owner_name == "organisation" else installation.owner_name
    state = "" if installation.state == "ready" else f" ({installation.state.replace('_', ' ')})"
    return f"{installation.name} of {whose}{state}"


async def _of_scope(
    connection: Connection, caller: Caller, gateway: GatewayFields, scope: Scope
) -> list[Installation]:
    if scope == "personal" and gateway.visibility != "personal":
        return []
    if scope == "service" and len(gateway.allowed_clients) != 1:
        return []
    everything = scope != "personal" and caller.may("installation:read")
    return await installations.page(
        connection, limit=_MOST, after=None, everything=everything, user_id=caller.user_id or None,
        teams=caller.teams_with("installation:read"), scope=scope,
    )  # fmt: skip


def _may_pin(caller: Caller, gateway: GatewayFields, installation: Installation) -> bool:
    try:
        check_pin(caller, gateway, installation, installation.entry_id)
    except BrokenRule:
        return False
    return may_see(caller, installation.owner)
