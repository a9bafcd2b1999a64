"""My connections: the servers that the person has connected with their own account or key, and those they may."""

from aiohttp import web

from control.console.shown_installations import SIGNS_IN, ShownInstallation
from control.console.shown_servers import shown_server
from control.console.visit import Visit
from control.registry.credential import kind_of
from control.registry.install_path import install_path
from control.store import accounts, entries, gateways, installations
from control.store.pool import transaction
from control.store.standings import standings

_MOST_SHOWN = 100
_MOST_OFFERED = 24


async def show(visit: Visit) -> web.Response:
    """The page."""
    caller = visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await installations.page(
            connection,
            limit=_MOST_SHOWN,
            after=None,
            everything=False,
            user_id=caller.user_id,
            teams=[],
            scope="personal",
        )
        of = await entries.many(connection, {one.entry_id for one in rows})
        seen = await entries.page(
            connection, limit=_MOST_SHOWN, after=None, everything=False, teams=list(caller.teams)
        )
        stand = await standings(connection, rows)
        held = await accounts.many(connection, [one.id for one in rows])
        going = {one.id: await gateways.showing_in_words(connection, caller, installation_id=one.id) for one in rows}
    shown = [
        ShownInstallation(
            one,
            kind_of(of[one.entry_id].credential),
            stand[one.id],
            account=held.get(one.id),
            server=shown_server(of[one.entry_id], one, visit.deps.place),
        )
        for one in rows
    ]
    mine = {one.entry_id for one in rows}
    offered = [one for one in seen if one.id not in mine]
    return visit.page(
        "my_connections/show.html",
        connections=shown,
        entries=of,
        going=going,
        offered=offered[:_MOST_OFFERED],
        more=len(offered) > _MOST_OFFERED,
        sign_in_paths={
            one.id: install_path(one.slug, f"user:{caller.user_id}")
            for one in offered
            if kind_of(one.credential) in SIGNS_IN
        },
        waiting=sum(one.needs_somebody for one in shown),
    )
