"""One installation: its state, why, and what helps; who can use it; how it is changed, asked again and deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from control.admin.installation_models import InstallationPatch
from control.changes import installations as changes
from control.changes import server_states
from control.changes.refusals import NotThere
from control.changes.visible import visible_installation
from control.console.answer_form import answers_of_form, credential_question, form_of_answers, questions
from control.console.forms import REFUSALS, Form
from control.console.live import LiveParts, Look
from control.console.pages.install import PROTOCOLS
from control.console.rendering import page_text
from control.console.seen_gateways import SeenGateways, seen_by
from control.console.shown_installations import ShownInstallation, who_can_use, whose
from control.console.shown_servers import shown_server
from control.console.visit import Visit
from control.credentials.standing import Standing
from control.registry.account import Account
from control.registry.credential import CREDENTIAL, kind_of
from control.registry.enforcement import Enforcement
from control.registry.entry import Entry
from control.registry.environment import Environment
from control.registry.installation import Installation
from control.registry.installing import may_fill
from control.registry.owner import Person, ServiceAccount
from control.registry.team_entries import entry_owner
from control.registry.visibility import sees
from control.store import (
    accounts,
    audit,
    enforcement,
    entries,
    environments,
    gateways,
    installations,
    registry_counts,
)
from control.store.pool import Connection, transaction
from control.store.standings import standings

_BACK = {"connections": "/my/connections"}
_MOST_DONE = 5


@dataclass(frozen=True, slots=True)
class _Found:
    """What the page is about."""

    installation: Installation
    entry: Entry
    account: Account | None
    standing: Standing
    inside: Environment | None = None
    """The environment in which Archway runs its server."""
    enforcement: Sequence[Enforcement] = ()
    """Whether it can reach nothing but what that lets it, as probes saw it."""

    @property
    def kind(self) -> str:
        return kind_of(self.entry.credential)


async def show(visit: Visit) -> web.Response:
    """The page."""
    return await _shown(visit, Form())


async def change_form(visit: Visit) -> web.Response:
    """The form that renames it and gives its answers again."""
    async with transaction(visit.pool, readonly=True) as connection:
        found = await _found(connection, visit)
    changes.managed(found.installation, visit.caller, "installation:update")
    row = found.installation
    given = {"name": row.name, "protocol": row.protocol, CREDENTIAL: "", "default": "", "version": str(row.version)}
    return _changing(visit, found, Form(given | form_of_answers(found.entry, row)))


async def change(visit: Visit) -> web.Response:
    """Change it; with other answers its server is asked again."""
    form = await visit.form()
    async with transaction(visit.pool, readonly=True) as connection:
        found = await _found(connection, visit)
    try:
        fills = may_fill(visit.caller, "installation:update", found.installation.owner)
        values = answers_of_form(found.entry, form, found.installation.secret_names)
        given: dict[str, Any] = {"values": values} if fills and values else {}
        if form.flag("default") and not found.installation.is_default:
            given |= {"default": True}
        wanted = form.read(InstallationPatch, leave_out={CREDENTIAL, "default"}, **given).changes()
        async with visit.changing() as write:
            changed = await changes.change(
                write, visit.deps.safeguards, found.installation.id, wanted, form.version
            )  # fmt: skip
    except REFUSALS as refusal:
        return _changing(visit, found, form.refused(refusal))
    if not changed.to_discover:
        return _back(visit, "saved")
    began = visit.deps.discoveries.begin(found.installation.id, visit.caller)
    return _back(visit, "installation-changed" if began else "saved")


async def discover(visit: Visit) -> web.Response:
    """Have its server asked again, while the person may look elsewhere."""
    await visit.form()
    async with transaction(visit.pool, readonly=True) as connection:
        found = await installations.one(connection, visit.named("installation_id"))
    row = changes.managed(found, visit.caller, "installation:discover")
    began = visit.deps.discoveries.begin(row.id, visit.caller)
    return _back(visit, "" if began else "not-asked")


async def restart(visit: Visit) -> web.Response:
    """Have its server started again, where we run it."""
    await visit.form()
    try:
        async with visit.changing() as write:
            await server_states.restart(write, visit.named("installation_id"))
    except REFUSALS as refusal:
        return await _shown(visit, Form().refused(refusal))
    return _back(visit, "restarting")


async def delete(visit: Visit) -> web.Response:
    """Delete it and its secrets, with the tools that are pinned to it, which the page named before."""
    form = await visit.form()
    try:
        async with visit.changing() as write:
            await changes.delete(
                write, visit.named("installation_id"), form.version, cascade=form.flag("cascade")
            )  # fmt: skip
    except REFUSALS as refusal:
        return await _shown(visit, form.refused(refusal))
    return visit.go(_BACK.get(form.value("back"), "/installations"), "installation-deleted")


class InstallationStates:
    """Follows an installation while its server is being asked, and one whose server we run for as long as somebody
    looks: a stream for each open page.
    """

    def __init__(self) -> None:
        self._live = LiveParts()

    async def follow(self, visit: Visit) -> web.StreamResponse:
        """Answer with a stream, until the server has answered."""
        async with transaction(visit.pool, readonly=True) as connection:
            await _found(connection, visit)

        async def look() -> Look:
            asking = await visit.deps.discoveries.goes_on(visit.named("installation_id"))
            async with transaction(visit.pool, readonly=True) as connection:
                found = await _found(connection, visit)
            shown = _shown_as(visit, found, asking)
            values = _state_values(visit, found, shown)
            return Look(
                state=(asking, shown.state, shown.cause, shown.server, found.inside, found.enforcement),
                text=lambda: page_text(visit.request, "installations/state.html", **values),
                done=not asking and shown.server is None,
            )

        return await self._live.follow(visit, look)


def _shown_as(visit: Visit, found: _Found, asking: bool = False) -> ShownInstallation:
    row = found.installation
    server = shown_server(found.entry, row, visit.deps.place)
    return ShownInstallation(row, found.kind, found.standing, asking, found.account, server)


def _state_values(visit: Visit, found: _Found, shown: ShownInstallation) -> dict[str, object]:
    owner = shown.installation.owner
    return {
        "shown": shown,
        "inside": found.inside,
        "enforcement": found.enforcement,
        "discovers": visit.caller.may_for("installation:discover", owner),
        "fills": may_fill(visit.caller, "installation:update", owner),
    }


def _back(visit: Visit, said: str) -> web.Response:
    return visit.go(f"/installations/{visit.named('installation_id')}", said)


async def _found(connection: Connection, visit: Visit) -> _Found:
    row = visible_installation(await installations.one(connection, visit.named("installation_id")), visit.caller)
    entry = await entries.one(connection, row.entry_id)
    if entry is None:
        raise NotThere("installation")
    account, stand = await accounts.one(connection, row.id), await standings(connection, [row])
    if not row.is_ours or not entry.environment_id:
        return _Found(row, entry, account, stand[row.id])
    inside = await environments.one(connection, entry.environment_id)
    seen = await enforcement.shown_of_entry(connection, entry, inside, visit.deps.place)
    return _Found(row, entry, account, stand[row.id], inside, seen)


async def _shown(visit: Visit, form: Form) -> web.Response:
    """The page; `form`: one of its forms that was refused."""
    caller = visit.caller
    asking = await visit.deps.discoveries.goes_on(visit.named("installation_id"))  # first: it may end meanwhile
    async with transaction(visit.pool, readonly=True) as connection:
        found = await _found(connection, visit)
        row = found.installation
        showing = await registry_counts.gateways_showing(connection, row.entry_id, row.id)
        counts = await registry_counts.of_entries(connection, [row.entry_id], caller)
        deletes = caller.may_for("installation:delete", row.owner)
        going = await gateways.showing_in_words(connection, caller, installation_id=row.id) if deletes else None
        done = await _done(connection, row) if caller.may("audit:read") else []
    shown = _shown_as(visit, found, asking)
    return visit.again(
        "installations/installation.html",
        form,
        **_state_values(visit, found, shown),
        row=row,
        entry=found.entry,
        sees_entry=sees(caller, "entry:read", found.entry.visibility, found.entry.teams),
        tools=counts[row.entry_id].tools,
        of_one=isinstance(row.owner, Person | ServiceAccount),
        whose=whose(row.owner, row.owner_name, caller.user_id),
        who=who_can_use(row.owner, row.owner_name, caller.user_id),
        pinned=_seen(visit, [one for one in showing if one.pinned]),
        resolved=_seen(visit, [one for one in showing if one.assigned > one.pinned]),
        tried=_seen(visit, showing).seen,
        finds=caller.may_for("entry:update", entry_owner(found.entry)),
        updates=caller.may_for("installation:update", row.owner),
        going=going,
        done=done,
    )


async def _done(connection: Connection, row: Installation) -> list[audit.KeptLine]:
    """What was done to it and to its entry, newest first."""
    found = [
        *await audit.page(
            connection, limit=_MOST_DONE, before_id=None, object_kind="installation", object_id=row.id
        ),
        *await audit.page(connection, limit=_MOST_DONE, before_id=None, object_kind="entry", object_id=row.entry_id),
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.id, reverse=True)[:_MOST_DONE]


def _seen(visit: Visit, showing: list[registry_counts.ShowingGateway]) -> SeenGateways:
    return seen_by(visit.caller, [one.gateway for one in showing])


def _changing(visit: Visit, found: _Found, form: Form) -> web.Response:
    row = found.installation
    return visit.again(
        "installations/change.html",
        form,
        row=row,
        shown=_shown_as(visit, found),
        entry=found.entry,
        questions=questions(found.entry, row),
        fills=may_fill(visit.caller, "installation:update", row.owner),
        credential=credential_question(found.entry, row),
        protocols=PROTOCOLS,
    )
