"""Gateways as pages show them to one person: where they are, how much is on them, and what is in the way.

Called by the pages that list gateways and by Connect. What is visible and what is usable is judged by the rules of
`control/registry/`, as for the admin API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from control.admin.gateway_ways import shut
from control.changes.refusals import NotThere
from control.changes.visible import visible_gateway
from control.registry.access import Caller
from control.registry.audience import Audience
from control.registry.gateway import Gateway
from control.registry.resources import canonical_resource
from control.registry.usability import usability
from control.registry.visibility import why_not_called_by
from control.store import gateways
from control.store.pool import Connection
from control.store.statements import Place
from core.snapshot import OFFER_KINDS


@dataclass(frozen=True, slots=True)
class ShownGateway:
    """A gateway that a person sees, with what keeps them from calling it."""

    gateway: Gateway
    url: str
    tools: int
    reasons: tuple[str, ...]
    """Why nobody can use it as it stands."""
    warnings: tuple[str, ...]
    shut: tuple[str, ...]
    """Of each way in that is shut, why, and what helps."""
    why_not: str
    """Why this person cannot call it; '' where they may."""
    seen_by: Audience
    offers: int = 0
    """Of how many servers it shows all resources, and of how many all prompts, added up."""
    closed: bool = False
    """Whether no way in is open at all: then one of `reasons` says so."""

    @property
    def slug(self) -> str:
        """Its name in the address."""
        return self.gateway.slug

    @property
    def state(self) -> tuple[str, str]:
        """A word, and the tone in which it is said."""
        if self.reasons:
            return "not usable", "bad"
        if self.why_not:
            return "not yours", "quiet"
        return ("usable, with warnings", "warn") if self.warnings or self.shut else ("usable", "ok")


async def visible_to(
    connection: Connection,
    caller: Caller,
    public_url: str,
    *,
    limit: int,
    after: Place | None = None,
    label: Mapping[str, str] | None = None,
) -> list[ShownGateway]:
    """The gateways that the person sees, by name; `label`: those that have it."""
    found = await gateways.page(
        connection,
        limit=limit,
        after=after,
        everything=caller.may("gateway:read"),
        user_id=caller.user_id or None,
        teams=list(caller.teams),
        label=label,
    )
    return await _shown(connection, caller, public_url, found)


async def named(connection: Connection, caller: Caller, public_url: str, name: str) -> ShownGateway:
    """The gateway with this slug or identifier; raises NotThere for one that the person does not see."""
    found = visible_gateway(await gateways.named(connection, name), caller)
    shown = await _shown(connection, caller, public_url, [found])
    if not shown:
        raise NotThere("gateway")
    return shown[0]


async def _shown(
    connection: Connection, caller: Caller, public_url: str, found: Sequence[Gateway]
) -> list[ShownGateway]:
    ids = [one.id for one in found]
    seen_by, tools = await gateways.audiences(connection, ids), await gateways.assigned_tools(connection, ids)
    ways = await shut(connection, found, pages_kept=True)  # whoever sees a page has signed in
    shown = []
    for one in found:
        judged = usability(tools[one.id], kind=one.visibility, audience=seen_by[one.id], shut=ways[one.id].reason)
        shown.append(
            ShownGateway(
                gateway=one,
                url=canonical_resource(public_url, one.slug),
                tools=sum(tool.kind not in OFFER_KINDS for tool in tools[one.id]),
                offers=sum(tool.kind in OFFER_KINDS for tool in tools[one.id]),
                reasons=judged.reasons,
                warnings=judged.warnings,
                shut=ways[one.id].warnings,
                why_not=why_not_called_by(caller, one.visibility, one.teams, one.owner_id) or "",
                seen_by=seen_by[one.id],
                closed=bool(ways[one.id].reason),
            )
        )
    return shown
