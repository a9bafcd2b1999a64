"""The page behind an install link: what a server is, what it asks, whose it will be, and off to its provider.

For whoever was sent a link, with nothing of the console around it. For every kind of credential: a person signs in at
the provider, or brings a key, or nothing is asked. What comes back from a provider is `install_account.py`'s; whoever
looks round the registry installs with `install.py`.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from aiohttp import web

from control.accounts.sign_ins import Browser, NotSeen
from control.accounts.under_way import WantedNew
from control.admin.installation_models import InstallationPatch
from control.changes import entries as entry_changes
from control.changes import installations as changes
from control.changes.installations import WantedInstallation
from control.console.answer_form import answers_of_form, credential_question, form_of_answers, questions
from control.console.forms import REFUSALS, Form
from control.console.new_installation import read_new
from control.console.noted_connections import note_not_begun
from control.console.pages.install_target import NotForYou, Target, target_of
from control.console.provider_shown import provider_shown
from control.console.visit import Visit
from control.credentials.upstream_oauth.unfit import CannotSignIn, NotApproved
from control.http.pages import DOOR_POLICY
from control.providers.asking import ProviderAway
from control.registry.broken_rule import BrokenRule
from control.registry.credential import CREDENTIAL, OAuthCredential, settings_of
from control.registry.install_path import install_path
from control.registry.installation import Installation
from control.registry.partial import entry_with
from control.store.pool import transaction


async def show(visit: Visit) -> web.Response:
    """The page."""
    try:
        target = await _target(visit)
    except NotForYou as refused:
        return not_for_you(visit, refused)
    given = {"name": "", "whose": target.owners[0][0] if target.owners else "", CREDENTIAL: ""}
    return await _shown(visit, target, Form(given | form_of_answers(target.entry, target.installation)))


async def begin(visit: Visit) -> web.Response:
    """Off to the provider; or, where nobody has to sign in, the installation is made or filled in at once."""
    form = await visit.form()
    try:
        target = await _target(visit)
    except NotForYou as refused:
        return not_for_you(visit, refused)
    try:
        if isinstance(target.entry.credential, OAuthCredential):
            return await _to_provider(visit, target, form)
        return await _filled(visit, target, form)
    except REFUSALS as refusal:
        return await _shown(visit, target, form.refused(refusal))


async def approve(visit: Visit) -> web.Response:
    """An admin has looked at the foreign hosts of a provider's endpoints: exactly those that stand in the form."""
    form = await visit.form()
    try:
        target = await _target(visit)
    except NotForYou as refused:
        return not_for_you(visit, refused)
    settings = target.entry.credential
    if not isinstance(settings, OAuthCredential):
        return await _shown(visit, target, form)
    hosts = list(dict.fromkeys((*settings.approved_hosts, *form.words("hosts"))))
    given = {"credential_placement": settings_of(settings) | {"approved_hosts": hosts}}
    try:
        async with visit.changing() as write:
            await entry_changes.change(
                write,
                visit.deps.safeguards,
                target.entry.id,
                partial(entry_with, given=given),
                target.entry.version,
            )
    except REFUSALS as refusal:
        return await _shown(visit, target, form.refused(refusal))
    return visit.go(visit.request.path.removesuffix("/hosts"), "host-approved", **dict(visit.request.query))


def not_for_you(visit: Visit, refused: NotForYou) -> web.Response:
    """The page for whoever the link is not for."""
    page = visit.page("install/not_for_you.html", sentence=str(refused))
    page.set_status(403)
    return page


def browser_of(visit: Visit) -> Browser:
    """Who looks, in which session."""
    return Browser(visit.caller.user_id, visit.visitor.session_id)


async def _target(visit: Visit) -> Target:
    async with transaction(visit.pool, readonly=True) as connection:
        return await target_of(connection, visit, visit.named("entry"))


async def _to_provider(visit: Visit, target: Target, form: Form) -> web.Response:
    wanted: WantedNew | Installation | None = target.installation
    if wanted is None:
        new = _read_new(target, form)
        async with visit.rehearsing() as write:  # else it may be refused when the person has come back
            await changes.create(write, visit.deps.safeguards, new)
        wanted = WantedNew(scope=new.scope, team_id=new.team_id, name=new.name, values=new.values)
    answers = wanted.plain_values if isinstance(wanted, Installation) else wanted.values
    seen = form.value("seen")
    try:
        url = await visit.deps.account_sign_ins.begin(browser_of(visit), target.entry, wanted, seen=seen)
    except NotSeen:
        return await _shown(visit, target, form, answers)  # which says why
    except NotApproved as cannot:
        await note_not_begun(visit, target.entry, cannot)
        return await _shown(visit, target, form, answers)  # which says why
    except (CannotSignIn, ProviderAway) as cannot:
        await note_not_begun(visit, target.entry, cannot)
        form = replace(form, problem=f"{target.entry.name}: {cannot}.", status=409)
        return await _shown(visit, target, form, answers)
    return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


async def _filled(visit: Visit, target: Target, form: Form) -> web.Response:
    """For kinds of credentials for which nobody signs in."""
    async with visit.changing() as write:
        if target.installation is None:
            made = await changes.create(write, visit.deps.safeguards, _read_new(target, form))
        else:
            values = answers_of_form(target.entry, form, target.installation.secret_names)
            patch = form.read(InstallationPatch, leave_out={"name", CREDENTIAL}, values=values).changes()
            patch = {name: patch[name] for name in ("values", CREDENTIAL) if name in patch}
            made = (await changes.change(write, visit.deps.safeguards, target.installation.id, patch)).installation
    visit.deps.discoveries.begin(made.id, visit.caller)
    return visit.go(f"/install/done/{made.id}")


def _read_new(target: Target, form: Form) -> WantedInstallation:
    if form.value("whose") not in {value for value, _ in target.owners}:
        raise BrokenRule("whose", "must be one of those that are offered")
    return read_new(target.entry, form)


async def _shown(visit: Visit, target: Target, form: Form, answers: Mapping[str, Any] | None = None) -> web.Response:
    """The page. `answers`: those of a new installation, where they were given and fit."""
    entry, again = target.entry, target.installation
    signs_in = isinstance(entry.credential, OAuthCredential)
    answers = again.plain_values if again else answers
    shown = await provider_shown(visit.deps.account_sign_ins, entry, answers, target.account)
    query = f"?{visit.request.query_string}" if visit.request.query_string else ""
    page = visit.again(
        "install/link.html",
        form,
        entry=entry,
        again=again,
        account=target.account,
        owners=target.owners,
        questions=[] if signs_in and again else questions(entry, again),
        credential=credential_question(entry, again),
        signs_in=signs_in,
        provider=shown,
        looks_again=signs_in and "seen" in form.given and form.status == 200,
        action=install_path(entry.slug),
        query=query,
        may_approve=visit.caller.may("entry:update"),
    )
    page.headers["Content-Security-Policy"] = DOOR_POLICY
    return page
