"""Where the console leads: its groups and pages, of which each person is shown what is theirs.

Called by `rendering.py`. A row is shown to whoever could do something there beyond their own affairs: the page itself
asks for its permission (`routes.py`), this only leaves out what would be empty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from control.registry.access import Caller
from control.registry.actions import Action


@dataclass(frozen=True, slots=True)
class Place:
    """A page that the navigation leads to."""

    label: str
    path: str
    icon: str
    shown: Callable[[Caller], bool]


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that belong together, under one heading ('' for those of the person themselves)."""

    label: str
    places: tuple[Place, ...]


def _everybody(_caller: Caller) -> bool:
    return True


def _with(*actions: Action) -> Callable[[Caller], bool]:
    """Whoever holds one for the organisation or for a team; what everybody holds for their own does not count."""
    return lambda caller: any(caller.may(one) or caller.teams_with(one) for one in actions)


def _keeps(sees: Action, changes: Action) -> Callable[[Caller], bool]:
    """Whoever sees all of them, or keeps those of a team; being in a team is not enough."""
    return lambda caller: caller.may(sees) or bool(caller.teams_with(changes))


GROUPS: Final = (
    Group(
        "",
        (
            Place("Home", "/", "home", _everybody),
            Place("Connect", "/my/connect", "plug", _everybody),
            Place("My connections", "/my/connections", "link", _everybody),
            Place("My access", "/my/access", "key", _everybody),
        ),
    ),
    Group(
        "Tools",
        (
            Place("Registry", "/registry", "shelf", _with("entry:read", "entry:update")),
            Place("Installations", "/installations", "socket", _keeps("installation:read", "installation:update")),
            Place("Pull secrets", "/pull-secrets", "key", _with("pull_secret:create")),
            Place("Gateways", "/gateways", "gateway", _with("gateway:read")),
            Place("Activity", "/activity", "lines", _with("record:read")),
        ),
    ),
    Group(
        "People",
        (
            Place("People", "/people", "person", _with("user:list")),
            Place("Teams", "/teams", "team", _with("member:update")),
            Place("Tokens", "/tokens", "token", _with("token:read")),
            Place("Sign-ins", "/sign-ins", "footprint", _with("sign_in:read")),
        ),
    ),
    Group(
        "Access",
        (
            Place("Identity providers", "/identity-providers", "shield", _with("identity_provider:read")),
            Place("OAuth clients", "/oauth-clients", "app", _with("oauth_client:read")),
        ),
    ),
    Group("Platform", (Place("Environments", "/environments", "cloud", _with("entry:read", "environment:update")),)),
)
"""All that there is, in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class ShownPlace:
    """A page as it stands in somebody's navigation."""

    label: str
    path: str
    icon: str
    here: bool


def navigation(caller: Caller, path: str) -> list[tuple[str, list[ShownPlace]]]:
    """The groups that this person sees while they are at `path`, each with its heading."""
    seen = [(group.label, [one for one in group.places if one.shown(caller)]) for group in GROUPS]
    return [
        (label, [ShownPlace(one.label, one.path, one.icon, _is_here(one.path, path)) for one in places])
        for label, places in seen
        if places
    ]


def _is_here(place: str, path: str) -> bool:
    if place == "/my/connect" and path.startswith("/connect/"):
        return True
    return path == place or (place != "/" and path.startswith(place + "/"))
