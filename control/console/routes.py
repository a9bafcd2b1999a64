"""The pages of the console: their addresses, and the permission that each needs, in one table.

Called by the listener for people (`control/public_listener.py`). A page's permission is that of the operation of the
admin API which does the same (`control/admin/permissions.py`); a page that one may not see is not there. Where a row
names the least that there is, `GET /me`, the change itself judges who may make it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from control.admin import permissions
from control.console import static
from control.console.environment_routes import ENVIRONMENT_PAGES
from control.console.first_call import OpenLights
from control.console.page_route import ID as _ID
from control.console.page_route import PageRoute
from control.console.pages import (
    activity,
    connect,
    entry,
    entry_override,
    entry_tool,
    explain,
    find,
    gateway,
    gateway_tool,
    gateway_tools,
    gateways,
    grants,
    home,
    identity_provider,
    identity_providers,
    import_config,
    install,
    installation,
    installations,
    my_access,
    my_connections,
    oauth_client,
    oauth_clients,
    people,
    person,
    provider_externals,
    provider_hosts,
    provider_jobs,
    provider_rules,
    pull_secrets,
    registry,
    server_logs,
    sign_ins,
    team,
    teams,
    tokens,
)
from control.console.visit import Visit
from control.http.csrf import check
from control.http.problems import Problem, not_found
from control.public.deps import PublicDeps
from control.public.visitor import signed_in

_PROVIDER: Final = f"/identity-providers/{{provider_id:{_ID}}}"
_CHANGES_PROVIDER: Final = "PATCH /identity-providers/{provider_id}"
_CLIENT: Final = f"/oauth-clients/{{client_id:{_ID}}}"
_ENTRY: Final = f"/registry/{{entry_id:{_ID}}}"
_TOOL: Final = f"{_ENTRY}/tools/{{tool_id:{_ID}}}"
_CHANGES_ENTRY: Final = "PATCH /entries/{entry_id}"
_OVERRIDES: Final = "POST /entries/{entry_id}/override/preview"
_CHANGES_TOOL: Final = "PATCH /entries/{entry_id}/tools/{tool_id}"
_INSTALLATION: Final = f"/installations/{{installation_id:{_ID}}}"
_READS_INSTALLATION: Final = "GET /installations/{installation_id}"
_CHANGES_INSTALLATION: Final = "PATCH /installations/{installation_id}"
_READS_LOGS: Final = "GET /installations/{installation_id}/logs"
_RESTARTS: Final = "POST /installations/{installation_id}/restart"
_GATEWAY: Final = f"/gateways/{{gateway_id:{_ID}}}"
_SHOWN_TOOL: Final = f"{_GATEWAY}/tools/{{assignment_id:{_ID}}}"
_ASSIGNS: Final = "POST /gateways/{gateway_id}/assignments"
_ASSIGNED: Final = "/gateways/{gateway_id}/assignments/{assignment_id}"
_DELETES_PULL_SECRET: Final = f"/pull-secrets/{{pull_secret_id:{_ID}}}/delete"
_EXPLAINS: Final = "POST /gateways/{gateway_id}/explain"
_EVERYBODY: Final = "GET /me"


PAGES: Final = (
    PageRoute("GET", "/", home.show, _EVERYBODY),
    PageRoute("GET", "/find", find.show, _EVERYBODY),
    PageRoute("GET", "/my/access", my_access.show, _EVERYBODY),
    PageRoute(
        "POST", f"/my/sessions/{{session_id:{_ID}}}/end", my_access.end_session, "DELETE /sessions/{session_id}"
    ),
    PageRoute(
        "POST", f"/my/clients/{{grant_id:{_ID}}}/withdraw", my_access.withdraw, "POST /grants/{grant_id}/revoke"
    ),
    PageRoute("POST", "/my/sessions/end-others", my_access.end_other_sessions, "DELETE /sessions/{session_id}"),
    PageRoute("GET", "/my/connect", connect.gateways, "GET /gateways"),
    PageRoute("GET", "/connect/{gateway}", connect.show, "GET /gateways"),
    PageRoute("POST", "/connect/{gateway}/token", connect.make_token, "GET /gateways"),
    PageRoute("GET", "/my/connections", my_connections.show, "GET /installations"),
    PageRoute("GET", "/registry", registry.show, "GET /entries"),
    PageRoute("GET", "/registry/catalog", registry.of_catalog, "POST /entries"),
    PageRoute("GET", "/registry/import", import_config.show, "POST /entries"),
    PageRoute("POST", "/registry/import", import_config.look, "POST /entries"),
    PageRoute("POST", "/registry/import/add", import_config.add, "POST /entries"),
    PageRoute("GET", "/registry/new", registry.new, "POST /entries"),
    PageRoute("POST", "/registry/new", registry.create, "POST /entries"),
    PageRoute("GET", _ENTRY, entry.show, "GET /entries/{entry_id}"),
    PageRoute("GET", f"{_ENTRY}/change", entry.change_form, _CHANGES_ENTRY),
    PageRoute("POST", f"{_ENTRY}/change", entry.change, _CHANGES_ENTRY),
    PageRoute("GET", f"{_ENTRY}/install", install.form, "POST /installations"),
    PageRoute("POST", f"{_ENTRY}/install", install.install, "POST /installations"),
    PageRoute("POST", f"{_ENTRY}/discover-through", entry.discover_through, _CHANGES_ENTRY),
    PageRoute("GET", f"{_ENTRY}/override", entry_override.show, _OVERRIDES),
    PageRoute("POST", f"{_ENTRY}/override", entry_override.save, _OVERRIDES),
    PageRoute("POST", f"{_ENTRY}/delete", entry.delete, "DELETE /entries/{entry_id}"),
    PageRoute("GET", _TOOL, entry_tool.show, "GET /entries/{entry_id}/tools/{tool_id}"),
    PageRoute("POST", f"{_TOOL}/quarantine", entry_tool.quarantine, _CHANGES_TOOL),
    PageRoute("POST", f"{_TOOL}/release", entry_tool.release, _CHANGES_TOOL),
    PageRoute("POST", f"{_TOOL}/acknowledge", entry_tool.acknowledge, _CHANGES_TOOL),
    PageRoute("GET", "/installations", installations.show, "GET /installations"),
    PageRoute("GET", _INSTALLATION, installation.show, _READS_INSTALLATION),
    PageRoute("GET", f"{_INSTALLATION}/change", installation.change_form, _CHANGES_INSTALLATION),
    PageRoute("POST", f"{_INSTALLATION}/change", installation.change, _CHANGES_INSTALLATION),
    PageRoute(
        "POST", f"{_INSTALLATION}/discover", installation.discover, "POST /installations/{installation_id}/discover"
    ),
    PageRoute("GET", f"{_INSTALLATION}/logs", server_logs.show, _READS_LOGS),
    PageRoute("POST", f"{_INSTALLATION}/restart", installation.restart, _RESTARTS),
    PageRoute("POST", f"{_INSTALLATION}/delete", installation.delete, "DELETE /installations/{installation_id}"),
    PageRoute("GET", "/pull-secrets", pull_secrets.show, "GET /pull-secrets"),
    PageRoute("GET", "/pull-secrets/new", pull_secrets.new, "POST /pull-secrets"),
    PageRoute("POST", "/pull-secrets/new", pull_secrets.create, "POST /pull-secrets"),
    PageRoute("POST", _DELETES_PULL_SECRET, pull_secrets.delete, "DELETE /pull-secrets/{pull_secret_id}"),
    PageRoute("GET", "/gateways", gateways.show, "GET /gateways"),
    PageRoute("GET", "/gateways/new", gateways.new, "POST /gateways"),
    PageRoute("POST", "/gateways/new", gateways.create, "POST /gateways"),
    PageRoute("GET", _GATEWAY, gateway.show, "GET /gateways/{gateway_id}"),
    PageRoute("GET", f"{_GATEWAY}/edit", gateway.edit, "PATCH /gateways/{gateway_id}"),
    PageRoute("POST", f"{_GATEWAY}/edit", gateway.change, "PATCH /gateways/{gateway_id}"),
    PageRoute("GET", f"{_GATEWAY}/tools", gateway_tools.show, _ASSIGNS),
    PageRoute("POST", f"{_GATEWAY}/tools", gateway_tools.update, _ASSIGNS),
    PageRoute("GET", _SHOWN_TOOL, gateway_tool.show, f"GET {_ASSIGNED}"),
    PageRoute("POST", _SHOWN_TOOL, gateway_tool.change, f"PATCH {_ASSIGNED}"),
    PageRoute("POST", f"{_SHOWN_TOOL}/again", gateway_tool.again, _ASSIGNS),
    PageRoute("POST", f"{_SHOWN_TOOL}/remove", gateway_tool.remove, f"DELETE {_ASSIGNED}"),
    PageRoute("GET", f"{_GATEWAY}/explain", explain.show, _EXPLAINS),
    PageRoute("POST", f"{_GATEWAY}/explain", explain.ask, _EXPLAINS),
    PageRoute("POST", f"{_GATEWAY}/delete", gateway.delete, "DELETE /gateways/{gateway_id}"),
    PageRoute("GET", "/activity", activity.show, "GET /records"),
    PageRoute("GET", f"/activity/{{record_id:{_ID}}}", activity.record, "GET /records/{record_id}"),
    PageRoute("GET", "/tokens", tokens.show, "GET /tokens"),
    PageRoute("GET", "/tokens/new", tokens.new, _EVERYBODY),
    PageRoute("POST", "/tokens/new", tokens.create, _EVERYBODY),
    PageRoute("POST", f"/tokens/{{token_id:{_ID}}}/revoke", tokens.revoke, "POST /tokens/{token_id}/revoke"),
    PageRoute("GET", "/sign-ins", sign_ins.show, "GET /sign-ins"),
    PageRoute("GET", "/people", people.show, "GET /users"),
    PageRoute("GET", "/people/invite", people.invite, "POST /users"),
    PageRoute("POST", "/people/invite", people.create, "POST /users"),
    PageRoute("GET", f"/people/{{user_id:{_ID}}}", person.show, "GET /users/{user_id}"),
    PageRoute("POST", f"/people/{{user_id:{_ID}}}", person.change, "PATCH /users/{user_id}"),
    PageRoute("POST", f"/people/{{user_id:{_ID}}}/disable", person.disable, "POST /users/{user_id}/disable"),
    PageRoute("POST", f"/people/{{user_id:{_ID}}}/enable", person.enable, "POST /users/{user_id}/enable"),
    PageRoute(
        "POST",
        f"/people/{{user_id:{_ID}}}/revoke-tokens",
        person.revoke_tokens,
        "POST /users/{user_id}/revoke-tokens",
    ),
    PageRoute("POST", f"/people/{{user_id:{_ID}}}/reset-link", person.reset_link, "POST /users/{user_id}/links"),
    PageRoute(
        "POST", f"/people/{{user_id:{_ID}}}/end-sessions", person.end_sessions, "POST /users/{user_id}/end-sessions"
    ),
    PageRoute("POST", f"/people/{{user_id:{_ID}}}/roles", person.give_role, "PUT /roles/{role_id}/holders/{user_id}"),
    PageRoute(
        "POST", f"/people/{{user_id:{_ID}}}/roles/take", person.take_role, "DELETE /roles/{role_id}/holders/{user_id}"
    ),
    PageRoute("POST", f"/people/{{user_id:{_ID}}}/delete", person.delete, "DELETE /users/{user_id}"),
    PageRoute("GET", "/teams", teams.show, "GET /teams"),
    PageRoute("GET", "/teams/new", teams.new, "POST /teams"),
    PageRoute("POST", "/teams/new", teams.create, "POST /teams"),
    PageRoute("GET", f"/teams/{{team_id:{_ID}}}", team.show, "GET /teams/{team_id}"),
    PageRoute("POST", f"/teams/{{team_id:{_ID}}}", team.change, "PATCH /teams/{team_id}"),
    PageRoute("POST", f"/teams/{{team_id:{_ID}}}/members", team.set_member, "PUT /teams/{team_id}/members/{user_id}"),
    PageRoute(
        "POST",
        f"/teams/{{team_id:{_ID}}}/members/remove",
        team.remove_member,
        "DELETE /teams/{team_id}/members/{user_id}",
    ),
    PageRoute("POST", f"/teams/{{team_id:{_ID}}}/delete", team.delete, "DELETE /teams/{team_id}"),
    PageRoute("GET", "/identity-providers", identity_providers.show, "GET /identity-providers"),
    PageRoute("GET", "/identity-providers/new", identity_providers.new, "POST /identity-providers"),
    PageRoute("POST", "/identity-providers/new", identity_providers.create, "POST /identity-providers"),
    PageRoute("GET", _PROVIDER, identity_provider.show, "GET /identity-providers/{provider_id}"),
    PageRoute("GET", f"{_PROVIDER}/change", identity_provider.change_form, _CHANGES_PROVIDER),
    PageRoute("POST", f"{_PROVIDER}/change", identity_provider.change, _CHANGES_PROVIDER),
    PageRoute("POST", f"{_PROVIDER}/ask", identity_provider.ask, "POST /identity-providers/{provider_id}/test"),
    PageRoute("POST", f"{_PROVIDER}/switch-on", identity_provider.switch_on, _CHANGES_PROVIDER),
    PageRoute("POST", f"{_PROVIDER}/switch-off", identity_provider.switch_off, _CHANGES_PROVIDER),
    PageRoute("POST", f"{_PROVIDER}/hosts/approve", provider_hosts.approve, _CHANGES_PROVIDER),
    PageRoute("POST", f"{_PROVIDER}/hosts/refuse", provider_hosts.refuse, _CHANGES_PROVIDER),
    PageRoute("POST", f"{_PROVIDER}/rules", provider_rules.add, _CHANGES_PROVIDER),
    PageRoute("POST", f"{_PROVIDER}/rules/remove", provider_rules.remove, _CHANGES_PROVIDER),
    PageRoute(
        "POST",
        f"{_PROVIDER}/people/{{identity_id:{_ID}}}/unlink",
        identity_provider.unlink,
        "DELETE /identity-providers/{provider_id}/people/{identity_id}",
    ),
    PageRoute("POST", f"{_PROVIDER}/jobs", provider_jobs.bind, _CHANGES_PROVIDER),
    PageRoute("POST", f"{_PROVIDER}/jobs/remove", provider_jobs.unbind, _CHANGES_PROVIDER),
    PageRoute(
        "POST",
        f"{_PROVIDER}/without-account/{{external_principal_id:{_ID}}}/disable",
        provider_externals.shut_out,
        "POST /external-principals/{external_principal_id}/disable",
    ),
    PageRoute(
        "POST",
        f"{_PROVIDER}/without-account/{{external_principal_id:{_ID}}}/enable",
        provider_externals.let_in,
        "POST /external-principals/{external_principal_id}/enable",
    ),
    PageRoute("POST", f"{_PROVIDER}/delete", identity_provider.delete, "DELETE /identity-providers/{provider_id}"),
    PageRoute("GET", "/oauth-clients", oauth_clients.show, "GET /oauth-clients"),
    PageRoute("GET", "/oauth-clients/new", oauth_clients.new, "POST /oauth-clients"),
    PageRoute("POST", "/oauth-clients/new", oauth_clients.create, "POST /oauth-clients"),
    PageRoute("GET", _CLIENT, oauth_client.show, "GET /oauth-clients/{oauth_client_id}"),
    PageRoute("POST", _CLIENT, oauth_client.change, "PATCH /oauth-clients/{oauth_client_id}"),
    PageRoute(
        "POST",
        f"{_CLIENT}/renew-secret",
        oauth_client.renew_secret,
        "POST /oauth-clients/{oauth_client_id}/renew-secret",
    ),
    PageRoute("POST", f"{_CLIENT}/disable", oauth_client.disable, "POST /oauth-clients/{oauth_client_id}/disable"),
    PageRoute("POST", f"{_CLIENT}/enable", oauth_client.enable, "POST /oauth-clients/{oauth_client_id}/enable"),
    PageRoute(
        "POST",
        f"{_CLIENT}/withdraw-all",
        oauth_client.withdraw_all,
        "POST /oauth-clients/{oauth_client_id}/revoke-grants",
    ),
    PageRoute("POST", f"{_CLIENT}/delete", oauth_client.delete, "DELETE /oauth-clients/{oauth_client_id}"),
    PageRoute(
        "POST",
        f"/oauth-clients/grants/{{grant_id:{_ID}}}/withdraw",
        grants.withdraw,
        "POST /grants/{grant_id}/revoke",
    ),
    *ENVIRONMENT_PAGES,
)
"""Every page, in the order of the navigation."""


def live_routes() -> tuple[PageRoute, ...]:
    """The event streams, each kind with its own count of those that are open."""
    states = installation.InstallationStates()
    return (
        PageRoute("GET", "/connect/{gateway}/first-call", OpenLights().follow, "GET /gateways"),
        PageRoute("GET", f"{_INSTALLATION}/state", states.follow, _READS_INSTALLATION),
        PageRoute("GET", f"{_INSTALLATION}/logs/lines", server_logs.FollowedLogs().follow, _READS_LOGS),
    )


def routes(deps: PublicDeps) -> list[web.RouteDef]:
    """The routes of the console, with the files that its pages need."""
    shown = [web.route(page.method, page.path, _handler(page, deps)) for page in (*PAGES, *live_routes())]
    return [*shown, web.get("/static/{hash}/{file}", static.serve)]


def _handler(page: PageRoute, deps: PublicDeps) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        visit = Visit(request, deps, signed_in(request))
        _permit(page, visit)
        if page.method == "POST":
            await check(request, visit.visitor)
        return await page.answer(visit)

    return handle


def _permit(page: PageRoute, visit: Visit) -> None:
    try:
        permissions.check(page.needs, visit.caller, visit.request.match_info)
    except Problem:
        if page.method == "GET":
            raise not_found("page") from None
        raise
