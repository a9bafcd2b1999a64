"""`/installations`: an entry, filled in by a person, a team or the organisation.

Written by `control/changes/installations.py`. Whoever installs learns in the same request whether the server answers
(`control/discovery/`). That the server is away does not undo the installation: it is kept as `unreachable` with the
reason, and discovered again on demand.
"""

from collections.abc import Collection, Mapping, Sequence
from shlex import quote

from control.admin.account_models import AccountView
from control.admin.api import Asked, Operations
from control.admin.enforcement_models import EnforcementView, ServerEgressView
from control.admin.installation_models import (
    InstallationCreate,
    InstallationDelete,
    InstallationPatch,
    InstallationQuery,
    InstallationView,
    StandingView,
)
from control.admin.resource import shown
from control.admin.server_models import ServerView
from control.changes import installations as changes
from control.changes.visible import visible_installation
from control.credentials.standing import Standing
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.http.problems import conflict
from control.registry.account import Account
from control.registry.enforcement import shown_of_server
from control.registry.install_path import path_to_mend
from control.registry.installation import Installation, told_of_installation
from control.registry.server_causes import words_of
from control.registry.server_state import as_seen_now
from control.store import accounts, enforcement, entries, environments, installations
from control.store.pool import Connection, transaction
from control.store.standings import standings

operations = Operations("installations")
_Told = tuple[Mapping[str, Standing], Mapping[str, Account], Mapping[str, ServerEgressView]]
"""How installations stand, and what they hold at providers, by their identifiers; what servers reach, by entry."""


@operations.get("/installations")
async def list_installations(asked: Asked, query: InstallationQuery) -> Page[InstallationView]:
    """List installations by name: the caller's own, their teams' and the organisation's; all to an admin."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await installations.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=asked.caller.may("installation:read"),
            user_id=asked.caller.user_id or None,
            teams=asked.caller.teams_with("installation:read"),
            entry_id=query.entry_id,
            scope=query.scope,
            state=query.state,
            name=query.name,
        )
        told = await _told(asked, connection, found)
    return page_of(found, query, lambda one: _view(asked, one, told), lambda one: place_key(one.name, one.id))


@operations.post("/installations")
async def create_installation(asked: Asked, body: InstallationCreate) -> InstallationView:
    """Install an entry, then discover what its server offers (at most 20 seconds)."""
    async with asked.changing() as write:
        wanted = changes.WantedInstallation(**body.model_dump())
        made = await changes.create(write, asked.deps.safeguards, wanted)
    return await discovered(asked, made.id)


@operations.get("/installations/{installation_id}")
async def read_installation(asked: Asked, installation_id: Id) -> InstallationView:
    """Show an installation."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = visible_installation(await installations.one(connection, installation_id), asked.caller)
        return _view(asked, found, await _told(asked, connection, [found]))


@operations.patch("/installations/{installation_id}")
async def change_installation(asked: Asked, installation_id: Id, body: InstallationPatch) -> InstallationView:
    """Change an installation; with other answers or another protocol its server is discovered again."""
    async with asked.changing() as write:
        changed = await changes.change(write, asked.deps.safeguards, installation_id, body.changes(), asked.version)
        told = await _told(asked, write.connection, [changed.installation])
    return (
        await discovered(asked, installation_id) if changed.to_discover else _view(asked, changed.installation, told)
    )


@operations.post("/installations/{installation_id}/discover", status=200)
async def discover_installation(asked: Asked, installation_id: Id) -> InstallationView:
    """Ask the server again what it offers (at most 20 seconds)."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await installations.one(connection, installation_id)
    changes.managed(found, asked.caller, "installation:discover")
    return await discovered(asked, installation_id)


@operations.delete("/installations/{installation_id}")
async def delete_installation(asked: Asked, installation_id: Id, query: InstallationDelete) -> None:
    """Delete an installation and its secrets. Assignments pinned to it go only when `cascade` says so."""
    async with asked.changing() as write:
        await changes.delete(write, installation_id, asked.version, cascade=query.cascade)


async def _told(asked: Asked, connection: Connection, found: Sequence[Installation]) -> _Told:
    return (
        await standings(connection, found),
        await accounts.many(connection, [one.id for one in found]),
        await _egress(asked, connection, {one.entry_id for one in found if one.is_ours}),
    )


async def _egress(asked: Asked, connection: Connection, entry_ids: Collection[str]) -> dict[str, ServerEgressView]:
    """By entry; none of one whose environment has no policy."""
    placed = await environments.of_entries(connection, entry_ids)
    of = await entries.many(connection, set(placed))
    confined = {one.id: one for one in placed.values() if one.egress is not None}
    told = await enforcement.shown_of(connection, list(confined.values()), asked.deps.place)
    return {
        entry_id: ServerEgressView(
            mode=one.egress.mode,
            enforcement=[shown(EnforcementView, each) for each in shown_of_server(told[one.id], of[entry_id])],
        )
        for entry_id, one in placed.items()
        if one.egress is not None
    }


def _view(asked: Asked, installation: Installation, told: _Told) -> InstallationView:
    stand, signed_in, reached = told
    return shown(
        InstallationView,
        told_of_installation(installation),
        standing=shown(StandingView, stand[installation.id]),
        runs=_runs(asked, installation, reached.get(installation.entry_id)),
        account=_account(signed_in.get(installation.id)),
        sign_in_link=asked.deps.pages_url + path_to_mend(installation),
    )


def _runs(asked: Asked, installation: Installation, egress: ServerEgressView | None) -> ServerView | None:
    if not installation.is_ours:
        return None
    state = as_seen_now(installation.id, installation.server_state, asked.deps.place)
    sentence, cure = words_of(state, quote(installation.address))
    newest, idle = asked.deps.base_image, installation.idleness
    return shown(
        ServerView,
        state,
        place=asked.deps.place,
        egress=egress or ServerEgressView(mode="all", enforcement=[]),
        sentence=sentence,
        cure=cure,
        is_latest=state.generation >= installation.wanted_generation,
        called_at=None if idle is None else idle.used_at,
        asleep_since=None if idle is None else idle.asleep_since,
        wakes=0 if idle is None else idle.wakes,
        newer_base_image=newest if installation.base_image not in {"", newest} else "",
    )


def _account(account: Account | None) -> AccountView | None:
    if account is None:
        return None
    return shown(
        AccountView,
        account,
        name=account.account_name,
        scopes=list(account.scopes),
        wanted_scopes=list(account.wanted_scopes),
        refreshes=account.refresh_at is not None,
        signed_out=account.refused_at is not None,
    )


async def discovered(asked: Asked, installation_id: str) -> InstallationView:
    """The installation after its server was asked what it offers; Problem 409 where it has gone meanwhile."""
    await asked.deps.discoverer.discover(installation_id, asked_by=asked.caller)
    return await shown_now(asked, installation_id)


async def shown_now(asked: Asked, installation_id: str) -> InstallationView:
    """The installation as it is now; Problem 409 where it has gone."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await installations.one(connection, installation_id)
        if found is None:
            raise conflict("The installation was deleted meanwhile.")
        return _view(asked, found, await _told(asked, connection, [found]))
