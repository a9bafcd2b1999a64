"""Find: gateways, servers, people and teams with such a name, of those that the person may see."""

from aiohttp import web

from control.console.visit import Visit
from control.store import names
from control.store.pool import transaction

_LONGEST = 128
_MOST_OF_A_KIND = 20


async def show(visit: Visit) -> web.Response:
    """The page, with nothing on it where nothing is looked for."""
    text, caller = visit.request.query.get("q", "").strip()[:_LONGEST].replace("\0", ""), visit.caller
    found: list[tuple[str, list[names.Named]]] = []
    if text:
        async with transaction(visit.pool, readonly=True) as connection:
            found = [
                ("Gateways", await names.gateways(
                    connection, text, _MOST_OF_A_KIND, everything=caller.may("gateway:read"), user_id=caller.user_id,
                    teams=list(caller.teams))),
                ("Servers", await names.entries(
                    connection, text, _MOST_OF_A_KIND, everything=caller.may("entry:read"),
                    teams=list(caller.teams))),
                ("People", await names.people(connection, text, _MOST_OF_A_KIND)
                    if caller.may("user:list") or caller.teams_with("user:list") else []),
                ("Teams", await names.teams(connection, text, _MOST_OF_A_KIND, everything=caller.may("team:read"),
                    teams=list(caller.teams))),
            ]  # fmt: skip
    return visit.page("find/found.html", find_text=text, found=[(kind, rows) for kind, rows in found if rows])
