"""Who may change a gateway, and whose installation a tool on it may be pinned to.

Called by `control/changes/`. Who holds the action for the organisation manages every gateway; everybody manages their
own personal ones. A pin lends an installation's credential to whoever sees the gateway, so a personal one stays with
its owner.
"""

from collections.abc import Mapping
from dataclasses import replace

from control.registry.access import Caller
from control.registry.actions import Action
from control.registry.broken_rule import BrokenRule
from control.registry.gateway import GatewayFields
from control.registry.installation import Installation
from control.registry.installing import may_fill
from control.registry.owner import Organisation, Person, TeamOwner


def with_owner(caller: Caller, gateway: GatewayFields) -> GatewayFields:
    """The gateway with the owner that it is saved with: a personal one is the caller's, unless it names another."""
    if gateway.visibility != "personal":
        return gateway
    return replace(gateway, owner_id=gateway.owner_id or caller.user_id or None)


def may_manage_gateway(caller: Caller, action: Action, gateway: GatewayFields) -> bool:
    """Whether the caller may do this, such as `gateway:update`, to such a gateway."""
    personal = gateway.visibility == "personal" and gateway.owner_id is not None
    return caller.may_for(action, Person(gateway.owner_id or "") if personal else Organisation())


def check_pin(
    caller: Caller, gateway: GatewayFields, installation: Installation, entry_id: str, field: str = "installation"
) -> None:
    """BrokenRule where a tool of `entry_id` on `gateway` must not be pinned to `installation`."""
    if installation.entry_id != entry_id:
        raise BrokenRule(field, "is an installation of another entry; choose one of this tool's entry")
    owner = installation.owner
    if isinstance(owner, Person):
        _check_personal_pin(caller, gateway, owner, field)
    elif isinstance(owner, TeamOwner) and not may_fill(caller, "installation:update", owner):
        raise BrokenRule(field, "belongs to a team; only its editors and admins may lend it to a gateway")


def check_audience(gateway: GatewayFields, pins: Mapping[str, str]) -> None:
    """BrokenRule where `gateway` would show tools that are pinned to somebody's personal installation to others.

    `pins`: exposed name to the user whose installation it is.
    """
    for name, user_id in pins.items():
        if gateway.visibility != "personal" or gateway.owner_id != user_id:
            raise BrokenRule(
                "visibility",
                f"would lend a person's own credential to others: {name} is pinned to one; remove it first",
            )


def _check_personal_pin(caller: Caller, gateway: GatewayFields, owner: Person, field: str) -> None:
    if owner.id != caller.user_id:
        raise BrokenRule(field, "belongs to another person; only they may pin it")
    if gateway.visibility != "personal" or gateway.owner_id != owner.id:
        raise BrokenRule(
            field,
            "belongs to a person, and only their own personal gateway may use it; leave it out to resolve at call "
            "time",
        )
