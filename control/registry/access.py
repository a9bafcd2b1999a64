"""Who asks the admin API, and what they hold: permissions of `actions.py`, for everything, a team, or their own.

Rules only; no I/O. A caller holds what their role gives, what their role in each team gives for that team, and what
the sets of permissions give that somebody gave them. What is not held here is refused.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from control.registry.actions import ACTIONS, Action, Role, permissions_of, team_permissions_of
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner

__all__ = ["Caller", "GivenSet", "Role"]


@dataclass(frozen=True, slots=True)
class GivenSet:
    """A set of permissions that somebody was given: for one team, or (None) for the whole organisation."""

    team_id: str | None
    permissions: Collection[str]


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind one request of the admin API."""

    user_id: str
    name: str
    role: Role
    teams: Mapping[str, Role] = field(default_factory=dict)
    """Team id to the role there."""
    token_id: str = ""
    """The token they came with; '' for the run's own."""
    token_expires_at: datetime | None = None
    """When that token ends; None: never, as the run's own."""
    session_id: str = ""
    """The browser session of a person who signed in; '' for whoever came with a token."""
    address: str = ""
    request_id: str = ""
    given: tuple[GivenSet, ...] = ()

    @property
    def permissions(self) -> frozenset[Action]:
        """What the caller holds for the whole organisation: for everything and everybody in it."""
        return permissions_of(self.role) | self._given(None)

    def permissions_for(self, team_id: str) -> frozenset[Action]:
        """What the caller holds for this team, with all that they hold for the whole organisation."""
        return self.permissions | self.held_for(team_id)

    def held_for(self, team_id: str) -> frozenset[Action]:
        """What the caller holds by being in this team: by their role there, and by what was given for it."""
        if team_id not in self.teams:
            return frozenset()
        return team_permissions_of(self.teams[team_id]) | self._given(team_id)

    def may(self, action: Action) -> bool:
        """Whether the caller may do this to whatever there is."""
        return action in self.permissions

    def may_for(self, action: Action, owner: Owner) -> bool:
        """Whether the caller may do this to what belongs to `owner`."""
        if self.may(action):
            return True
        match owner:
            case Person(user_id):
                return ACTIONS[action].own and bool(user_id) and user_id == self.user_id
            case TeamOwner(team_id):
                return action in self.held_for(team_id)
            case Organisation() | ServiceAccount():
                return False
        assert_never(owner)

    def may_for_some(self, action: Action) -> bool:
        """Whether there could be anything to which the caller may do this; whoever may not is refused at the door."""
        held = ACTIONS[action]
        return held.own or held.shown or self.may(action) or bool(self.teams_with(action))

    def teams_with(self, action: Action) -> list[str]:
        """The teams for which the caller holds this; those of the whole organisation are not meant."""
        return [team_id for team_id in self.teams if action in self.held_for(team_id)]

    def holds_all_of(self, other: "Caller") -> bool:
        """Whether the caller holds whatever `other` holds. Nobody changes a person who may do more than they."""
        return other.permissions <= self.permissions and all(
            other.permissions_for(team_id) <= self.permissions_for(team_id) for team_id in other.teams
        )

    def may_grant_until(self, moment: datetime | None) -> bool:
        """Whether the caller may give access that ends then (None: never): it must not outlive their own token."""
        return self.token_expires_at is None or (moment is not None and moment <= self.token_expires_at)

    def _given(self, team_id: str | None) -> frozenset[Action]:
        """What sets give. What cannot be in a set, or be held for a team, is not held, whatever a row says."""
        names = {name for one in self.given if one.team_id == team_id for name in one.permissions}
        return frozenset(
            action
            for action, held in ACTIONS.items()
            if action in names and not held.reserved and (team_id is None or held.team is not None)
        )
