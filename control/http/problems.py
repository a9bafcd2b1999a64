"""What the admin API says when it refuses: problem documents (RFC 9457) that name the field and the cure.

Raised anywhere below a handler as `Problem`, turned into an answer by `control/http/answering.py`. A message never
repeats what the caller sent: it may be a secret.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from control.changes.refusals import NotAllowed, NotNow, NotThere, Refused, Stale
from control.registry.broken_rule import BrokenRule
from control.store.pool import StoreConflict


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field at fault, by the path that a person would write: `fields[0].name`."""

    field: str
    message: str


class Problem(Exception):
    """A refusal with its status, a sentence, and the fields at fault."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers

    def document(self, request_id: str) -> dict[str, object]:
        """The body of the answer."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": [{"field": error.field, "message": error.message} for error in self.errors],
            "request_id": request_id,
        }


def invalid(field: str, message: str) -> Problem:
    """422: the value of one field cannot be used."""
    return Problem(422, f"{field}: {message}", [FieldError(field, message)])


def not_found(what: str) -> Problem:
    """404, in the same words for what is not there and for what the caller may not see."""
    return Problem(404, f"There is no such {what}, or you may not see it.")


def forbidden(detail: str) -> Problem:
    """403: known, and not allowed."""
    return Problem(403, detail)


def conflict(detail: str, errors: Sequence[FieldError] = ()) -> Problem:
    """409: the request is in order, but contradicts the present state."""
    return Problem(409, detail, errors)


CONSTRAINTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "users_email": ("email", "is another user's; choose another"),
        "teams_name": ("name", "is another team's; choose another"),
        "memberships_user_id_fkey": ("user_id", "is not the id of a user; list /users"),
        "memberships_team_id_fkey": ("team_id", "is not the id of a team; list /teams"),
        "roles_name": ("name", "is another role's; choose another"),
        "role_holders_user_id_fkey": ("user_id", "is not the id of a user; list /users"),
        "role_holders_membership": ("team_id", "is not a team that this person is in; add them to it first"),
        "tokens_user_id_fkey": ("user_id", "is not the id of a user; list /users"),
        "tokens_team_id_fkey": ("team_id", "is not the id of a team; list /teams"),
        "oauth_clients_team_id_fkey": ("team_id", "is not the id of a team; list /teams"),
        "entries_slug_key": ("slug", "is another entry's; choose another"),
        "entries_team_id_fkey": ("team_id", "is not the id of a team; list /teams"),
        "entry_teams_team_id_fkey": ("teams", "names a team that does not exist; list /teams"),
        "environments_name": ("name", "is another environment's; choose another"),
        "egress_presets_name": ("name", "is another egress preset's; choose another"),
        "environment_presets_preset_id_fkey": ("presets", "names a preset that is not there; list /egress-presets"),
        "entries_environment_id_fkey": ("environment_id", "is not the id of an environment; list /environments"),
        "pull_secrets_name": ("name", "is another pull secret's; choose another"),
        "pull_secrets_team_id_fkey": ("team_id", "is not the id of a team; list /teams"),
        "installations_one_name": (
            "name",
            "is another installation's of this entry and owner; choose another",
        ),
        "installations_entry_id_fkey": ("entry_id", "is not the id of an entry; list /entries"),
        "installations_user_id_fkey": ("user_id", "is not the id of a user; list /users"),
        "installations_team_id_fkey": ("team_id", "is not the id of a team; list /teams"),
        "installations_oauth_client_id_fkey": (
            "oauth_client_id",
            "is not the id of an OAuth client that acts by itself; list /oauth-clients",
        ),
        "gateways_slug_key": ("slug", "is another gateway's; choose another"),
        "gateways_owner_id_fkey": ("owner_id", "is not the id of a user; list /users"),
        "gateway_teams_team_id_fkey": ("teams", "names a team that does not exist; list /teams"),
        "gateway_environments_environment_id_fkey": (
            "environments",
            "names an environment that is not there; list /environments",
        ),
        "identity_providers_slug": ("slug", "is another identity provider's; choose another"),
        "identity_providers_issuer": ("issuer", "is another identity provider's; change that one"),
        "gateways_identity_provider_id_fkey": (
            "identity_provider_id",
            "is not the id of an identity provider; list /identity-providers",
        ),
        "assignments_gateway_id_exposed_name_key": ("exposed_name", "is taken on this gateway; choose another"),
        "assignments_tool_id_fkey": ("tool_id", "is not the id of a tool; list /entries/{entry_id}/tools"),
        "assignments_installation_id_fkey": (
            "installation_id",
            "is not the id of an installation; list /installations",
        ),
    }
)
"""Constraints of the schema that a caller can run into, as the field and what to do about it."""


def of_conflict(error: StoreConflict) -> Problem:
    """409 in words; a constraint without an entry above gets the general sentence."""
    known = CONSTRAINTS.get(error.constraint)
    if known is None:
        return conflict(
            "The request conflicts with what is stored, or with another change. Read the object again, then retry."
        )
    field, message = known
    return conflict(f"{field}: {message}", [FieldError(field, message)])


def of_refused(error: Refused) -> Problem:
    """What `control/changes/` refused, with its status."""
    match error:
        case NotThere():
            return not_found(error.what)
        case NotAllowed():
            return forbidden(str(error))
        case NotNow():
            return _not_now(error)
        case Stale():
            return Problem(412, str(error))
    return conflict(str(error))


def _not_now(error: NotNow) -> Problem:
    detail = str(error)
    if any(field == "cascade" for field, _ in error.fields):
        detail = f"{detail.removesuffix('.')}, or add ?cascade=true."
    return conflict(detail, [FieldError(field, message) for field, message in error.fields])


def of_refusal(error: Exception) -> Problem | None:
    """What a change or a rule refused, as the API says it; None for what is no refusal."""
    match error:
        case Problem():
            return error
        case BrokenRule():
            return invalid(error.field, error.message)
        case Refused():
            return of_refused(error)
        case StoreConflict():
            return of_conflict(error)
    return None
