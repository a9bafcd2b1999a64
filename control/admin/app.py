"""The admin listener as one aiohttp application: which resources there are, and what stands before them.

Called by `control/main.py`: `build_app(deps)`, then `listen`. Leaves out who makes the parts in `Deps`.
"""

import re
from collections.abc import Iterable

from aiohttp import web

from control.admin import (
    accounts,
    assignments,
    audit,
    caller,
    catalog,
    deployment,
    egress_presets,
    entries,
    entry_overrides,
    entry_tools,
    environments,
    explain,
    external_principals,
    gateways,
    grants,
    identity_providers,
    installations,
    links,
    me,
    memberships,
    oauth_clients,
    openapi,
    pull_secrets,
    records,
    revocations,
    roles,
    servers,
    sessions,
    sign_ins,
    teams,
    tokens,
    users,
)
from control.admin.api import DEPS, PREFIX, Operation, Operations
from control.admin.deps import Deps
from control.admin.permissions import TABLE
from control.http import answering
from control.http.listener import listen
from control.http.reading import MAX_BODY
from control.store.pool import transaction

RESOURCES: tuple[Operations, ...] = (
    me.operations,
    catalog.operations,
    deployment.operations,
    revocations.operations,
    users.operations,
    links.operations,
    sessions.operations,
    sign_ins.operations,
    teams.operations,
    memberships.operations,
    roles.operations,
    tokens.operations,
    oauth_clients.operations,
    grants.operations,
    entries.operations,
    entry_overrides.operations,
    entry_tools.operations,
    installations.operations,
    servers.operations,
    pull_secrets.operations,
    environments.operations,
    egress_presets.operations,
    accounts.operations,
    gateways.operations,
    explain.operations,
    assignments.operations,
    identity_providers.operations,
    external_principals.operations,
    audit.operations,
    records.operations,
)
"""Every resource, in the order of the document."""
__all__ = ["RESOURCES", "build_app", "listen", "refuse_unlisted"]
_ID = re.compile(r"\{(\w+_id)\}")
"""Parameters that take identifiers only, so that `/tokens/identify` is not also the token named "identify"."""


def build_app(deps: Deps, resources: Iterable[Operations] = RESOURCES) -> web.Application:
    """The application; raises LookupError for an operation that the table of permissions does not name,
    ValueError for one that does not fit the document.
    """
    operations = [operation for resource in resources for operation in resource.declared]
    refuse_unlisted(operations)
    app = web.Application(middlewares=[answering.answer, caller.authenticate], client_max_size=MAX_BODY)
    app[DEPS] = deps
    app[answering.ALLOWED_HOSTS] = deps.allowed_hosts
    app.on_response_prepare.append(answering.add_headers)
    for operation in operations:
        path = _ID.sub(r"{\1:[0-9a-f-]{36}}", PREFIX + operation.path)
        app.router.add_route(operation.method, path, operation.handle)
    app.router.add_route("GET", PREFIX + "/openapi.json", openapi.Document(operations).serve)
    app.router.add_route("GET", "/health", _health)
    app.router.add_route("GET", "/ready", _ready)
    return app


def refuse_unlisted(operations: Iterable[Operation]) -> None:
    """Raise LookupError where the table of permissions does not name an operation."""
    unlisted = [operation.key for operation in operations if operation.key not in TABLE]
    if unlisted:
        raise LookupError(f"not in control/admin/permissions.py: {', '.join(unlisted)}")


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _ready(request: web.Request) -> web.Response:
    async with transaction(request.app[DEPS].pool, readonly=True) as connection:
        await connection.fetchval("select 1")
    return web.json_response({"status": "ok"})
