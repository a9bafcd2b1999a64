"""Who may call what: one table, read by `control/admin/api.py` before anything else of a request is looked at.

An operation that is not in the table cannot be called; the application does not even start with one. Rows that say
`BY_OBJECT` are narrowed by the operation itself, with the rules of `control/registry/access.py` and
`control/registry/visibility.py`: what one may see there depends on the object.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from control.http.problems import forbidden, not_found
from control.registry.access import Caller


class Needs(Enum):
    """What a caller needs for an operation."""

    SIGNED_IN = "any signed-in user"
    BY_OBJECT = "any signed-in user; what they see or change depends on the object"
    TEAM_MEMBER = "a member of the team"
    TEAM_ADMIN = "an admin of the team"
    ADMIN = "an admin"


TABLE: Mapping[str, Needs] = MappingProxyType(
    {
        "GET /openapi.json": Needs.SIGNED_IN,
        "GET /me": Needs.SIGNED_IN,
        "GET /deployment": Needs.SIGNED_IN,
        # people
        "GET /users": Needs.ADMIN,
        "POST /users": Needs.ADMIN,
        "GET /users/{user_id}": Needs.BY_OBJECT,
        "PATCH /users/{user_id}": Needs.ADMIN,
        "DELETE /users/{user_id}": Needs.ADMIN,
        "POST /users/{user_id}/disable": Needs.ADMIN,
        "POST /users/{user_id}/enable": Needs.ADMIN,
        "POST /users/{user_id}/revoke-tokens": Needs.BY_OBJECT,
        "GET /teams": Needs.BY_OBJECT,
        "POST /teams": Needs.ADMIN,
        "GET /teams/{team_id}": Needs.TEAM_MEMBER,
        "PATCH /teams/{team_id}": Needs.ADMIN,
        "DELETE /teams/{team_id}": Needs.ADMIN,
        "GET /teams/{team_id}/members": Needs.TEAM_MEMBER,
        "PUT /teams/{team_id}/members/{user_id}": Needs.TEAM_ADMIN,
        "DELETE /teams/{team_id}/members/{user_id}": Needs.TEAM_ADMIN,
        # tokens
        "GET /tokens": Needs.BY_OBJECT,
        "POST /tokens": Needs.ADMIN,  # no token makes tokens but an admin's
        "POST /tokens/identify": Needs.BY_OBJECT,
        "GET /tokens/{token_id}": Needs.BY_OBJECT,
        "PATCH /tokens/{token_id}": Needs.BY_OBJECT,
        "DELETE /tokens/{token_id}": Needs.BY_OBJECT,
        "POST /tokens/{token_id}/revoke": Needs.BY_OBJECT,
        # the registry
        "GET /entries": Needs.BY_OBJECT,
        "POST /entries": Needs.ADMIN,
        "GET /entries/{entry_id}": Needs.BY_OBJECT,
        "PATCH /entries/{entry_id}": Needs.ADMIN,
        "DELETE /entries/{entry_id}": Needs.ADMIN,
        "GET /entries/{entry_id}/tools": Needs.BY_OBJECT,
        "GET /entries/{entry_id}/tools/{tool_id}": Needs.BY_OBJECT,
        "PATCH /entries/{entry_id}/tools/{tool_id}": Needs.ADMIN,
        "GET /installations": Needs.BY_OBJECT,
        "POST /installations": Needs.BY_OBJECT,
        "GET /installations/{installation_id}": Needs.BY_OBJECT,
        "PATCH /installations/{installation_id}": Needs.BY_OBJECT,
        "POST /installations/{installation_id}/discover": Needs.BY_OBJECT,
        "DELETE /installations/{installation_id}": Needs.BY_OBJECT,
        # gateways
        "GET /gateways": Needs.BY_OBJECT,
        "POST /gateways": Needs.BY_OBJECT,
        "GET /gateways/{gateway_id}": Needs.BY_OBJECT,
        "PATCH /gateways/{gateway_id}": Needs.BY_OBJECT,
        "DELETE /gateways/{gateway_id}": Needs.BY_OBJECT,
        "GET /gateways/{gateway_id}/assignments": Needs.BY_OBJECT,
        "POST /gateways/{gateway_id}/assignments": Needs.BY_OBJECT,
        "GET /gateways/{gateway_id}/assignments/{assignment_id}": Needs.BY_OBJECT,
        "PATCH /gateways/{gateway_id}/assignments/{assignment_id}": Needs.BY_OBJECT,
        "DELETE /gateways/{gateway_id}/assignments/{assignment_id}": Needs.BY_OBJECT,
        # what happened
        "GET /records": Needs.ADMIN,
        "GET /records/export": Needs.ADMIN,
        "GET /records/gaps": Needs.ADMIN,
        "GET /records/{record_id}": Needs.ADMIN,
        "GET /audit": Needs.ADMIN,
    }
)


def check(key: str, caller: Caller, path: Mapping[str, str]) -> None:
    """Raise Problem unless `caller` may call the operation `key` with these path parameters."""
    needs = TABLE.get(key)
    if needs is None:
        raise forbidden("Nobody may do this.")
    if caller.is_admin or needs in {Needs.SIGNED_IN, Needs.BY_OBJECT}:
        return
    if needs is Needs.ADMIN:
        raise forbidden("This needs an admin.")
    team_id = path["team_id"]
    if not caller.belongs_to(team_id):
        raise not_found("team")
    if needs is Needs.TEAM_ADMIN and not caller.administers(team_id):
        raise forbidden("This needs an admin of the team.")
