"""People without an account who call with an identity provider's tokens: each is shut out, or let in, by a button."""

from aiohttp import web

from control.changes import external_principals as changes
from control.changes.refusals import NotThere
from control.console.pages.identity_provider import back
from control.console.visit import Visit
from control.store import external_principals


async def shut_out(visit: Visit) -> web.Response:
    """They call no more, whatever the provider says."""
    return await _changed(visit, disabled=True)


async def let_in(visit: Visit) -> web.Response:
    """They call again, as far as the provider lets them."""
    return await _changed(visit, disabled=False)


async def _changed(visit: Visit, *, disabled: bool) -> web.Response:
    await visit.form()
    async with visit.changing() as write:
        found = await external_principals.one(write.connection, visit.named("external_principal_id"))
        if found is None or found.provider_id != visit.named("provider_id"):
            raise NotThere("external principal")
        await changes.set_disabled(write, found.id, disabled=disabled)
    return back(visit, "external-out" if disabled else "external-in")
