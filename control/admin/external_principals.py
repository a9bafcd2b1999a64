"""`/external-principals`: who calls with an identity provider's own token and has no account here.

A row is made by a call, and forgotten when nobody has called as it for long. An admin sees them, and shuts one out or
lets them in again (`control/changes/external_principals.py`). What they may do, their provider's settings say.
"""

from control.admin.api import Asked, Operations
from control.admin.external_principal_models import ExternalPrincipalQuery, ExternalPrincipalView
from control.admin.record_lists import record_place
from control.admin.resource import one_or_404, shown
from control.changes import external_principals as changes
from control.http.models import Id
from control.http.paging import Page, page_of
from control.registry.external_principal import ExternalPrincipal, told_of_external
from control.store import external_principals
from control.store.pool import transaction

operations = Operations("external principals")


@operations.get("/external-principals")
async def list_external_principals(asked: Asked, query: ExternalPrincipalQuery) -> Page[ExternalPrincipalView]:
    """List who calls without an account here, who called last first."""
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await external_principals.page(
            connection,
            limit=query.fetch,
            before=record_place(query.cursor),
            provider_id=query.provider,
            subject=query.subject,
        )
    return page_of(rows, query, _view, lambda one: f"{one.last_seen_at.isoformat()} {one.id}")


@operations.get("/external-principals/{external_principal_id}")
async def get_external_principal(asked: Asked, external_principal_id: Id) -> ExternalPrincipalView:
    """Show somebody without an account."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await external_principals.one(connection, external_principal_id)
    return _view(one_or_404(found, "external principal"))


@operations.post("/external-principals/{external_principal_id}/disable", status=200)
async def disable_external_principal(asked: Asked, external_principal_id: Id) -> ExternalPrincipalView:
    """Shut somebody out, whatever their provider says: their calls and streams end within a second."""
    async with asked.changing() as write:
        return _view(await changes.set_disabled(write, external_principal_id, disabled=True))


@operations.post("/external-principals/{external_principal_id}/enable", status=200)
async def enable_external_principal(asked: Asked, external_principal_id: Id) -> ExternalPrincipalView:
    """Let somebody in again, as far as their provider does."""
    async with asked.changing() as write:
        return _view(await changes.set_disabled(write, external_principal_id, disabled=False))


def _view(external: ExternalPrincipal) -> ExternalPrincipalView:
    return shown(ExternalPrincipalView, told_of_external(external))
