"""The tool picker of a gateway: all tools of all entries, of which some are ticked; saved all at once.

What is looked for stands in the address, so that a search can be sent to somebody and survives saving. What the form
says is read in `control/console/picked_tools.py`, and changed by `control/changes/assignments.py`.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import Field

from control.changes import assignments as changes
from control.changes.gateways import managed
from control.changes.write import Write
from control.console.forms import REFUSALS, Form
from control.console.picked_tools import Picked, carried, picked_in, refused_at
from control.console.pin_choices import pin_choices
from control.console.visit import Visit
from control.http.paging import NamedPageQuery, page_of, place_key
from control.registry.gateway import Gateway
from control.registry.gateway_access import may_manage_gateway
from control.store import gateways, tool_choices
from control.store.pool import Connection, transaction

_MOST_SHOWN: Final = 60
"""A form has at most 200 fields, and a tool two of them."""
_MOST_WITHOUT: Final = 10


class PickQuery(NamedPageQuery):
    """What is looked for in the picker."""

    limit: Annotated[int, Field(ge=1, le=_MOST_SHOWN)] = 40
    q: Annotated[str, Field(max_length=128)] = ""
    entry: Annotated[str, Field(max_length=63)] = ""
    shown: Literal["yes", "no"] | None = None


async def show(visit: Visit) -> web.Response:
    """The picker."""
    return await _shown(visit, Form({"prefix": "true"}))


async def update(visit: Visit) -> web.Response:
    """Assign what was ticked, and take away what no longer is: all of it, or nothing."""
    form, entry_id = await visit.form(), ""
    picked = picked_in(form)
    try:
        async with visit.changing() as write:
            await _managed(visit, write.connection)
            for entry_id, names in (await _by_entry(visit, write.connection, picked)).items():
                await _assign(visit, write, form, entry_id, names, picked)
            entry_id = ""
            await _take(visit, write, picked)
    except REFUSALS as refusal:
        return await _shown(visit, refused_at(form, refusal, entry_id))
    return visit.go(f"/gateways/{visit.named('gateway_id')}/tools", "tools-saved", **_looked_for(visit))


async def _assign(
    visit: Visit, write: Write, form: Form, entry_id: str, names: Sequence[str], picked: Picked
) -> None:
    wanted = changes.WantedTools(
        entry=entry_id, tools=names, installation=picked.pins.get(entry_id), prefix=form.flag("prefix")
    )
    await changes.create(write, visit.named("gateway_id"), wanted)


async def _take(visit: Visit, write: Write, picked: Picked) -> None:
    gateway_id = visit.named("gateway_id")
    own = await tool_choices.of_entry(write.connection, gateway_id, picked.none) if picked.none else []
    for one in dict.fromkeys([*picked.taken, *own]):
        await changes.delete(write, gateway_id, one)


async def _by_entry(visit: Visit, connection: Connection, picked: Picked) -> dict[str, list[str]]:
    """The tools that are to be assigned, by their entry."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for entry_id, name in (await tool_choices.named(connection, picked.tools)).values():
        if entry_id != picked.none:
            wanted[entry_id].append(name)
    if picked.every:
        wanted[picked.every] = await tool_choices.not_shown(connection, visit.named("gateway_id"), picked.every)
    return {entry_id: names for entry_id, names in wanted.items() if names}


async def _managed(visit: Visit, connection: Connection) -> Gateway:
    found = await gateways.one(connection, visit.named("gateway_id"))
    return managed(found, visit.caller, "assignment:create")


async def _shown(visit: Visit, form: Form) -> web.Response:
    query, caller = visit.query(PickQuery), visit.caller
    everything, teams = caller.may("entry:read"), list(caller.teams)
    async with transaction(visit.pool, readonly=True) as connection:
        gateway = await _managed(visit, connection)
        rows = await tool_choices.page(
            connection, gateway.id, everything=everything, teams=teams, limit=query.fetch, after=query.place,
            text=query.q.replace("\0", ""), entry=query.entry, picked=query.shown,
        )  # fmt: skip
        page = page_of(
            rows, query, lambda one: {"row": one}, lambda one: place_key(f"{one.entry_slug}/{one.name}", one.id)
        )
        tools = [one["row"] for one in page.items]
        entry_ids = list(dict.fromkeys(one.entry_id for one in tools))
        counts = await tool_choices.counts(connection, gateway.id, entry_ids)
        pins = await pin_choices(connection, caller, gateway, entry_ids)
        without = await tool_choices.without_tools(
            connection, everything=everything, teams=teams, limit=_MOST_WITHOUT
        )  # fmt: skip
    return visit.again(
        "gateways/tools.html",
        form,
        gateway=gateway,
        groups=[(entry_id, [one for one in tools if one.entry_id == entry_id]) for entry_id in entry_ids],
        counts=counts,
        pins=pins,
        without=without,
        carried=carried(form, {one.id for one in tools}),
        next=page.next,
        query=query,
        changes=may_manage_gateway(caller, "gateway:update", gateway),
        removes=may_manage_gateway(caller, "assignment:delete", gateway),
    )


def _looked_for(visit: Visit) -> dict[str, str]:
    return {name: text for name, text in visit.request.query.items() if text and name != "said"}
