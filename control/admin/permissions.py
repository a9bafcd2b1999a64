"""The action that each route needs: one table, read by `control/admin/api.py` before anything else of a request.

An operation that is not in the table cannot be called; the application does not even start with one. The door asks
whether there could be anything to which the caller may do this; whether they may do it to this very object is judged
where the object is read, by the same action (`control/registry/access.py`, `control/registry/visibility.py`). What
each action means, and who holds it, is `control/registry/actions.py`'s.
"""

from collections.abc import Mapping
from types import MappingProxyType

from control.http.problems import forbidden, not_found
from control.registry.access import Caller
from control.registry.actions import ACTIONS, Action, lacking
from control.registry.owner import TeamOwner

TABLE: Mapping[str, tuple[Action, ...]] = MappingProxyType(
    {
        "GET /openapi.json": ("api:read",),
        "GET /me": ("api:read",),
        "GET /me/claims": ("api:read",),
        "GET /catalog": ("entry:read",),
        "POST /catalog/read": ("entry:create",),
        "GET /deployment": ("api:read", "deployment:read"),
        # the end of somebody's access, and who has applied it
        "POST /revocations/tokens/{token_id}": ("token:revoke",),
        "POST /revocations/clients/{oauth_client_id}": ("oauth_client:disable",),
        "POST /revocations/grants/{grant_id}": ("grant:revoke",),
        "POST /revocations/sessions/{session_id}": ("session:delete",),
        "POST /revocations/client-sessions/{client_session}": ("session:delete",),
        "POST /revocations/providers/{provider_id}": ("identity_provider:update",),
        "POST /revocations/users/{user_id}": ("user:disable",),
        "POST /revocations/external-principals/{external_principal_id}": ("identity_provider:update",),
        # people
        "GET /users": ("user:list",),
        "POST /users": ("user:create", "role:grant"),
        "GET /users/{user_id}": ("user:read",),
        "PATCH /users/{user_id}": ("user:update", "role:grant"),
        "DELETE /users/{user_id}": ("user:delete",),
        "POST /users/{user_id}/disable": ("user:disable",),
        "POST /users/{user_id}/enable": ("user:disable",),
        "POST /users/{user_id}/revoke-tokens": ("token:revoke",),
        "GET /teams": ("team:read",),
        "POST /teams": ("team:create",),
        "GET /teams/{team_id}": ("team:read",),
        "PATCH /teams/{team_id}": ("team:update",),
        "DELETE /teams/{team_id}": ("team:delete",),
        "GET /teams/{team_id}/members": ("member:read",),
        "PUT /teams/{team_id}/members/{user_id}": ("member:update", "role:grant"),
        "DELETE /teams/{team_id}/members/{user_id}": ("member:delete",),
        "GET /permissions": ("role:read",),
        "GET /roles": ("role:read",),
        "POST /roles": ("role:create",),
        "GET /roles/{role_id}": ("role:read",),
        "PATCH /roles/{role_id}": ("role:update",),
        "DELETE /roles/{role_id}": ("role:delete",),
        "GET /roles/{role_id}/holders": ("role:grant",),
        "PUT /roles/{role_id}/holders/{user_id}": ("role:grant",),
        "DELETE /roles/{role_id}/holders/{user_id}": ("role:grant",),
        "GET /users/{user_id}/links": ("link:read",),
        "POST /users/{user_id}/links": ("link:create",),  # as good as a token of theirs
        "DELETE /users/{user_id}/links/{link_id}": ("link:delete",),
        "POST /users/{user_id}/end-sessions": ("session:delete",),
        "GET /sessions": ("session:read",),
        "GET /sessions/{session_id}": ("session:read",),
        "DELETE /sessions/{session_id}": ("session:delete",),
        "GET /sign-ins": ("sign_in:read",),
        # tokens
        "GET /tokens": ("token:read",),
        "POST /tokens": ("token:create",),  # no token makes tokens but an admin's
        "POST /tokens/identify": ("token:read",),
        "GET /tokens/{token_id}": ("token:read",),
        "PATCH /tokens/{token_id}": ("token:update", "token:create"),
        "DELETE /tokens/{token_id}": ("token:delete",),
        "POST /tokens/{token_id}/revoke": ("token:revoke",),
        # OAuth clients, and what people allowed them
        "GET /oauth-clients": ("oauth_client:read",),
        "POST /oauth-clients": ("oauth_client:create",),
        "GET /oauth-clients/{oauth_client_id}": ("oauth_client:read",),
        "PATCH /oauth-clients/{oauth_client_id}": ("oauth_client:update",),
        "POST /oauth-clients/{oauth_client_id}/renew-secret": ("oauth_client:update",),
        "POST /oauth-clients/{oauth_client_id}/disable": ("oauth_client:disable",),
        "POST /oauth-clients/{oauth_client_id}/enable": ("oauth_client:disable",),
        "POST /oauth-clients/{oauth_client_id}/revoke-grants": ("oauth_client:disable",),
        "DELETE /oauth-clients/{oauth_client_id}": ("oauth_client:delete",),
        "GET /grants": ("grant:read",),
        "GET /grants/{grant_id}": ("grant:read",),
        "POST /grants/{grant_id}/revoke": ("grant:revoke",),
        "POST /users/{user_id}/revoke-grants": ("grant:revoke",),
        # the registry
        "GET /entries": ("entry:read",),
        "POST /entries": ("entry:create", "entry:run", "entry:override", "environment:deploy-to-restricted"),
        "GET /entries/{entry_id}": ("entry:read",),
        "PATCH /entries/{entry_id}": (
            "entry:update",
            "entry:run",
            "entry:override",
            "environment:deploy-to-restricted",
        ),
        "DELETE /entries/{entry_id}": ("entry:delete", "environment:deploy-to-restricted"),
        "POST /entries/{entry_id}/override/preview": ("entry:override",),
        "GET /entries/{entry_id}/sign-in": ("entry:read",),
        "GET /entries/{entry_id}/tools": ("tool:read",),
        "GET /entries/{entry_id}/tools/{tool_id}": ("tool:read",),
        "PATCH /entries/{entry_id}/tools/{tool_id}": ("tool:update",),
        "GET /installations": ("installation:read",),
        "POST /installations": ("installation:create", "installation:share", "oauth_client:update"),
        "GET /installations/{installation_id}": ("installation:read",),
        "PATCH /installations/{installation_id}": ("installation:update", "oauth_client:update"),
        "POST /installations/{installation_id}/discover": ("installation:discover",),
        "POST /installations/{installation_id}/restart": ("installation:update",),
        "GET /installations/{installation_id}/logs": ("installation:update",),
        "DELETE /installations/{installation_id}": ("installation:delete",),
        "PUT /installations/{installation_id}/account": ("installation:update",),
        "DELETE /installations/{installation_id}/account": ("installation:update",),
        "GET /pull-secrets": ("pull_secret:read",),
        "POST /pull-secrets": ("pull_secret:create",),
        "GET /pull-secrets/{pull_secret_id}": ("pull_secret:read",),
        "PATCH /pull-secrets/{pull_secret_id}": ("pull_secret:update",),
        "DELETE /pull-secrets/{pull_secret_id}": ("pull_secret:delete",),
        "GET /environments": ("environment:read",),
        "POST /environments": ("environment:create", "environment:deploy-to-restricted"),
        "GET /environments/{environment_id}": ("environment:read",),
        "GET /environments/{environment_id}/usage": ("environment:read",),
        "PATCH /environments/{environment_id}": ("environment:update", "environment:deploy-to-restricted"),
        "POST /environments/{environment_id}/probe": ("environment:update",),
        "DELETE /environments/{environment_id}": ("environment:delete", "environment:deploy-to-restricted"),
        "GET /egress-presets": ("egress_preset:read",),
        "POST /egress-presets": ("egress_preset:create",),
        "GET /egress-presets/{egress_preset_id}": ("egress_preset:read",),
        "PATCH /egress-presets/{egress_preset_id}": ("egress_preset:update",),
        "DELETE /egress-presets/{egress_preset_id}": ("egress_preset:delete",),
        # gateways
        "GET /gateways": ("gateway:read",),
        "POST /gateways": ("gateway:create",),
        "GET /gateways/{gateway_id}": ("gateway:read",),
        "PATCH /gateways/{gateway_id}": ("gateway:update",),
        "DELETE /gateways/{gateway_id}": ("gateway:delete",),
        "POST /gateways/{gateway_id}/explain": ("api:read", "gateway:explain"),
        "GET /gateways/{gateway_id}/assignments": ("assignment:read",),
        "POST /gateways/{gateway_id}/assignments": ("assignment:create",),
        "GET /gateways/{gateway_id}/assignments/{assignment_id}": ("assignment:read",),
        "PATCH /gateways/{gateway_id}/assignments/{assignment_id}": ("assignment:update",),
        "DELETE /gateways/{gateway_id}/assignments/{assignment_id}": ("assignment:delete",),
        # identity providers
        "GET /identity-providers": ("identity_provider:read",),
        "POST /identity-providers": ("identity_provider:create",),
        "GET /identity-providers/{provider_id}": ("identity_provider:read",),
        "PATCH /identity-providers/{provider_id}": ("identity_provider:update",),
        "DELETE /identity-providers/{provider_id}": ("identity_provider:delete",),
        "POST /identity-providers/{provider_id}/test": ("identity_provider:update",),
        "GET /identity-providers/{provider_id}/people": ("identity_provider:update",),
        "DELETE /identity-providers/{provider_id}/people/{identity_id}": ("identity_provider:delete",),
        # who calls with their tokens, and has no account
        "GET /external-principals": ("identity_provider:update",),
        "GET /external-principals/{external_principal_id}": ("identity_provider:update",),
        "POST /external-principals/{external_principal_id}/disable": ("identity_provider:update",),
        "POST /external-principals/{external_principal_id}/enable": ("identity_provider:update",),
        # what happened
        "GET /records": ("record:read",),
        "GET /records/export": ("record:read",),
        "GET /records/gaps": ("gap:read",),
        "GET /records/{record_id}": ("record:read",),
        "GET /audit": ("audit:read",),
    }
)
"""The first action of a row opens the route; a further one opens a part of it: numbers, another role, a later end,
what a service account acts with, what is restricted."""


def check(key: str, caller: Caller, path: Mapping[str, str]) -> None:
    """Raise Problem unless `caller` may call the operation `key` with these path parameters.

    The team that a path names is judged here, everything else where it is read.
    """
    if key not in TABLE:
        raise forbidden("Nobody may do this.")
    action = TABLE[key][0]
    if "team_id" in path and ACTIONS[action].team is not None:
        _check_team(action, caller, TeamOwner(path["team_id"]))
    elif not caller.may_for_some(action):
        raise forbidden(lacking(action))


def _check_team(action: Action, caller: Caller, team: TeamOwner) -> None:
    if not caller.may_for(action, team):
        raise forbidden(lacking(action)) if caller.may_for("team:read", team) else not_found("team")
