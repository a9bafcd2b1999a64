"""Who may install an entry for whom, and what an installation keeps of the answers.

Called by the admin API. A personal installation holds one person's credential: they alone fill it. A team's needs an
admin of that team, the organisation's an admin.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from control.registry.access import Caller
from control.registry.binding import origin_of
from control.registry.broken_rule import BrokenRule
from control.registry.credentials import CREDENTIAL, check_credential, placement_of
from control.registry.fields import Answer, check_answers, fields_of
from core.egress.addresses import AddressPolicy

Scope = Literal["personal", "team", "organisation"]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filled:
    """The answers of an installation, checked, and the origin that they are given for."""

    plain: dict[str, Answer]
    secret: dict[str, str] = field(repr=False)
    """With the credential under its own name."""
    origin: str

    @property
    def secret_names(self) -> list[str]:
        """What is shown of the secrets."""
        return sorted(self.secret)


def check_owner(caller: Caller, scope: Scope, team_id: str | None) -> str | None:
    """The user that a new installation is for, None for a team's or the organisation's; else BrokenRule."""
    if scope == "team" and team_id is None:
        raise BrokenRule("team_id", "is needed with the scope 'team'; give the team's id")
    if scope != "team" and team_id is not None:
        raise BrokenRule("team_id", f"goes with the scope 'team' only; take it out for {scope!r}")
    if scope != "personal":
        return None
    if not caller.user_id:
        raise BrokenRule(
            "scope", "cannot be 'personal' for the token of this run, which is no person's; use a user's"
        )
    return caller.user_id


def may_manage(caller: Caller, scope: str, user_id: str | None, team_id: str | None) -> bool:
    """Whether the caller may change or delete it."""
    if caller.is_admin:
        return True
    if scope == "team":
        return team_id is not None and caller.administers(team_id)
    return scope == "personal" and user_id is not None and user_id == caller.user_id


def may_fill(caller: Caller, scope: str, user_id: str | None, team_id: str | None) -> bool:
    """Whether the caller may give its answers: nobody fills in another person's credential, not even an admin."""
    if scope == "personal":
        return user_id is not None and user_id == caller.user_id
    return may_manage(caller, scope, user_id, team_id)


def may_see(caller: Caller, scope: str, user_id: str | None, team_id: str | None) -> bool:
    """Whether the caller may read it (never its secrets)."""
    if scope == "organisation" or may_manage(caller, scope, user_id, team_id):
        return True
    return team_id is not None and caller.belongs_to(team_id)


def fill(
    entry: Row,
    values: Mapping[str, Any],
    credential: str | None,
    policy: AddressPolicy,
    kept: Mapping[str, str] | None = None,
) -> Filled:
    """The answers to all that the entry asks, or BrokenRule. `kept`: secrets given earlier for the same origin.

    In `values`, null takes an answer away (a default then stands in).
    """
    fields = fields_of(entry["fields"])
    secret_fields = {one.name for one in fields if one.type == "secret"}
    earlier = kept or {}
    given = {**{name: value for name, value in earlier.items() if name in secret_fields}, **values}
    answers = check_answers(fields, given, policy)
    secret = dict(answers.secret)
    value = credential if credential is not None else earlier.get(CREDENTIAL)
    if entry["credential_model"] == "static":
        if value is None:
            raise BrokenRule("credential", f"is needed: {entry['name']} takes an API key or token")
        secret[CREDENTIAL] = check_credential(placement_of(entry["credential_placement"]), value)
    elif credential is not None:
        raise BrokenRule("credential", f"is not taken by {entry['name']} (credential model 'none'); leave it out")
    return Filled(answers.plain, secret, origin_of(entry["url"]))
