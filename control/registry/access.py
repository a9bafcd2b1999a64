"""Who asks the admin API, and what that lets them do. Rules only; no I/O.

A caller is an admin (a user with the role, or the run's own token), or a member, who may additionally be the admin
of teams. Everything not granted here is refused.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Role = Literal["admin", "member"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind one request of the admin API."""

    user_id: str
    name: str
    role: Role
    teams: dict[str, Role] = field(default_factory=dict)
    """Team id to the role there."""
    token_id: str = ""
    """The token they came with; '' for the run's own."""
    token_expires_at: datetime | None = None
    """When that token ends; None: never, as the run's own."""
    address: str = ""
    request_id: str = ""

    @property
    def is_admin(self) -> bool:
        """Whether the caller may do everything."""
        return self.role == "admin"

    def administers(self, team_id: str) -> bool:
        """Whether the caller may manage this team: its members, its tokens, its installations."""
        return self.is_admin or self.teams.get(team_id) == "admin"

    def belongs_to(self, team_id: str) -> bool:
        """Whether the caller may see this team."""
        return self.is_admin or team_id in self.teams

    def may_grant_until(self, moment: datetime | None) -> bool:
        """Whether the caller may give access that ends then (None: never): it must not outlive their own token."""
        return self.token_expires_at is None or (moment is not None and moment <= self.token_expires_at)

    def owns(self, user_id: str | None) -> bool:
        """Whether the caller is this user, or an admin."""
        return self.is_admin or user_id == self.user_id
