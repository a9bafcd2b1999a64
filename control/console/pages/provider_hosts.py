"""Hosts of an identity provider's endpoints that are not the issuer's own: nothing is sent there before an admin has
looked at them and approved them, by a button on the provider's page.
"""

from collections.abc import Callable

from aiohttp import web

from control.admin.identity_provider_models import ProviderPatch
from control.changes import identity_providers as changes
from control.console.asking_providers import asked_now
from control.console.forms import REFUSALS
from control.console.pages.identity_provider import back, shown
from control.console.visit import Visit
from control.registry.partial import provider_with


async def approve(visit: Visit) -> web.Response:
    """Approve one, and ask the provider again."""
    return await _changed(visit, lambda hosts, host: hosts | {host}, "host-approved")


async def refuse(visit: Visit) -> web.Response:
    """Approve one no more."""
    return await _changed(visit, lambda hosts, host: hosts - {host}, "host-refused")


async def _changed(visit: Visit, step: Callable[[set[str], str], set[str]], said: str) -> web.Response:
    """Made of the hosts that are approved when it is written, so that two admins undo nothing of each other's."""
    form = await visit.form()
    try:
        (host,) = form.read(ProviderPatch, approved_hosts=[form.value("host")]).approved_hosts
        async with visit.changing() as write:
            provider = await changes.change(
                write,
                visit.named("provider_id"),
                lambda now: provider_with(now, {"approved_hosts": sorted(step(set(now.approved_hosts), host))}),
                None,
                visit.deps.safeguards,
            )
    except REFUSALS as refusal:
        return await shown(visit, form.refused(refusal))
    await asked_now(visit, provider)
    return back(visit, said)
