"""Who may enter a gateway: the one rule, by which proxies decide calls and control decides credentials."""

from core.resolve import Principal
from core.snapshot import Visibility


def may_enter(principal: Principal, visibility: Visibility) -> bool:
    """Whether this caller may enter the gateway; for one who may not, it does not exist.

    A gateway of teams admits members of those teams and their team tokens; an organisation token is in no team. Who
    has no account here is not of the organisation: only a team that their provider's claims give opens a gateway.
    """
    if principal.kind == "service" and visibility.services and principal.id not in visibility.services:
        return False
    if visibility.kind == "organisation":
        return principal.kind != "external"
    if visibility.kind == "teams":
        return not principal.teams.isdisjoint(visibility.teams)
    return principal.kind == "user" and visibility.owner == principal.id
