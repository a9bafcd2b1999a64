"""Rules of bearer tokens: whether one holds, who may manage it, and whose a new one is. No I/O.

Asked by `control/store/tokens.py` for proxies and for callers, by `control/changes/tokens.py` before a token is made
or changed, by `control/admin/tokens.py` for what is shown.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule

Kind = Literal["user", "team", "organisation"]
Refused = Literal["", "unknown", "revoked", "expired", "disabled"]
State = Literal["active", "revoked", "expired", "disabled"]
Row = Mapping[str, Any]


def refusal_of(row: Row) -> Literal["", "revoked", "expired", "disabled"]:
    """Why the token in this row does not hold, '' if it does."""
    if row["revoked_at"] is not None:
        return "revoked"
    if row["expired"]:
        return "expired"
    return "disabled" if row["owner_disabled_at"] is not None else ""


def state_of(row: Row) -> State:
    """The same as the word that people see."""
    return refusal_of(row) or "active"


def manages(caller: Caller, row: Row) -> bool:
    """Whether the caller may see, change and revoke this token."""
    if caller.is_admin:
        return True
    if row["kind"] == "team":
        return caller.administers(row["team_id"])
    return row["kind"] == "user" and caller.owns(row["user_id"])


def owner_of_new(
    caller: Caller, kind: Kind, user_id: str | None, team_id: str | None
) -> tuple[str | None, str | None]:
    """User and team of a new token; raises BrokenRule where what was asked for does not fit its kind."""
    if user_id is not None and kind != "user":
        raise BrokenRule("user_id", "goes with the kind user only; leave it out")
    if team_id is not None and kind != "team":
        raise BrokenRule("team_id", "goes with the kind team only; leave it out")
    if kind == "team" and team_id is None:
        raise BrokenRule("team_id", "is needed for a token of a team")
    return (user_id or caller.user_id, None) if kind == "user" else (None, team_id)


def why_not_made_by(caller: Caller, kind: Kind, user_id: str | None, team_id: str | None) -> str:
    """Why the caller may not make a token for this owner, '' if they may."""
    if kind == "team":
        allowed = team_id is not None and caller.administers(team_id)
        return "" if allowed else "A token of a team needs an admin of the team."
    if kind == "organisation":
        return "" if caller.is_admin else "A token of the organisation needs an admin."
    return "" if caller.owns(user_id) else "A token of another user needs an admin."


def puts_off(before: datetime | None, after: datetime | None) -> bool:
    """Whether a token ends later with the second end than with the first; None is never."""
    return before is not None and (after is None or after > before)
