"""Who may change a gateway, and whose installation a tool on it may be pinned to.

Called by `control/changes/`. Who holds the action for the organisation manages every gateway; everybody manages their
own personal ones. A pin lends an installation's credential to whoever sees the gateway, so a personal one stays with
its owner, and a service account's at gateways that let in this client alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from control.registry.access import Caller
from control.registry.actions import Action, lacking
from control.registry.broken_rule import BrokenRule
from control.registry.gateway import GatewayFields
from control.registry.installation import Installation
from control.registry.installing import may_fill
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner


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
    match owner:
        case Person():
            return _check_personal_pin(caller, gateway, owner, field)
        case ServiceAccount():
            return _check_service_pin(caller, gateway, owner, field)
        case TeamOwner():
            if not may_fill(caller, "installation:update", owner):
                raise BrokenRule(field, "belongs to a team; only its editors and admins may lend it to a gateway")
            return None
        case Organisation():
            return None
    assert_never(owner)


def check_audience(gateway: GatewayFields, pins: Mapping[str, Owner]) -> None:
    """BrokenRule where `gateway` would show tools that are pinned to a person's or a service account's own
    installation to others.

    `pins`: exposed name to whose installation it is.
    """
    for name, owner in pins.items():
        if isinstance(owner, Person) and not _is_for_alone(gateway, owner):
            raise BrokenRule(
                "visibility",
                f"would lend a person's own credential to others: {name} is pinned to one; remove it first",
            )
        if isinstance(owner, ServiceAccount) and not _is_for_alone(gateway, owner):
            raise BrokenRule(
                "allowed_clients",
                f"must be the service account alone to whose installation {name} is pinned; take the pin away first",
            )


def _is_for_alone(gateway: GatewayFields, owner: Person | ServiceAccount) -> bool:
    """Whether nobody but this owner can call the gateway. What a client that calls for itself is called by gateways
    is the identifier of its row.
    """
    if isinstance(owner, Person):
        return gateway.visibility == "personal" and gateway.owner_id == owner.id
    return gateway.allowed_clients == (owner.id,)


def _check_service_pin(caller: Caller, gateway: GatewayFields, owner: ServiceAccount, field: str) -> None:
    if not may_fill(caller, "installation:update", owner):
        raise BrokenRule(field, f"belongs to a service account. {lacking('oauth_client:update')}")
    if not _is_for_alone(gateway, owner):
        raise BrokenRule(
            field,
            "belongs to a service account, and only a gateway that lets in this client alone may use it; leave it "
            "out to resolve at call time",
        )


def _check_personal_pin(caller: Caller, gateway: GatewayFields, owner: Person, field: str) -> None:
    if owner.id != caller.user_id:
        raise BrokenRule(field, "belongs to another person; only they may pin it")
    if not _is_for_alone(gateway, owner):
        raise BrokenRule(
            field,
            "belongs to a person, and only their own personal gateway may use it; leave it out to resolve at call "
            "time",
        )
