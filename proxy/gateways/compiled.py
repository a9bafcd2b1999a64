"""A gateway as calls use it: look-ups instead of lists, and the lists as bytes.

Made once from a snapshot, off the calls' path, and swapped in whole; nothing here changes afterwards but the times at
which it was last known to be current, and last used, and whether it is still held.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from core.egress.header_names import why_not_passed
from core.mcp.large_answer_json import items_of
from core.mcp.methods import RESOURCES_READ, TOOLS_CALL
from core.mcp.param_headers import ParamHeaders
from core.mcp.shapes import is_only_a_task, tool_for_legacy, tool_for_modern
from core.mcp.versions import Era
from core.resolve import Principal, Way
from core.snapshot import OFFER_KINDS, Gateway, Offer, OfferKind, Route, Rule, Tool
from core.visibility import may_enter
from proxy.gateways.app_pages import app_pages
from proxy.gateways.built_in_tools import built_in_tools
from proxy.gateways.tool_lists import tool_lists
from proxy.our_name import server_info


@dataclass(frozen=True, slots=True)
class CompiledTool:
    """One callable tool of a gateway, which a call may be for (`proxy.exchange.Target`)."""

    exposed: str
    upstream: str
    """The server's own name of it; of a resource, its URI."""
    assignment_id: str
    route: Route
    rule: Rule | None
    """The first policy rule that names it, or the one that its definition makes."""
    param_headers: ParamHeaders

    def asks(self, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
        """The method and the parameters that its server is asked with, for a caller's parameters."""
        return TOOLS_CALL, {"name": self.upstream, "arguments": params.get("arguments", {})}

    def result_of(self, result: dict[str, object]) -> dict[str, object] | None:
        """What the caller gets of the server's result; None where that is none for this method."""
        return result

    def instead_of(self, code: object) -> dict[str, object] | None:
        """Nothing: a server's error is told as a result that says so."""
        return None

    def is_callers_fault(self, code: object) -> bool:
        """Never: as `instead_of`."""
        return False


class ResourceAsTool(CompiledTool):
    """A resource that is offered as a tool: it is read, and its contents are embedded in the result."""

    __slots__ = ()

    def asks(self, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
        """Reading it; arguments say nothing to a resource."""
        return RESOURCES_READ, {"uri": self.upstream}

    def result_of(self, result: dict[str, object]) -> dict[str, object] | None:
        """A tool's result with the contents."""
        contents = items_of(result.get("contents"))
        if contents is None:
            return None
        return {"content": [{"type": "resource", "resource": item} for item in contents], "isError": False}


def compiled_tool(tool: Tool, rule: Rule | None) -> CompiledTool:
    """A tool of a snapshot, ready for calls; `rule`: the one that decides about it."""
    kind = CompiledTool if tool.kind == "tool" else ResourceAsTool
    param_headers = tuple((name, tuple(path)) for name, path in tool.param_headers)
    return kind(tool.exposed, tool.upstream, tool.assignment_id, tool.route, rule, param_headers)


class CompiledGateway:
    """A gateway as calls use it, made once from a snapshot and swapped in whole."""

    __slots__ = (
        "_offers",
        "allowlist",
        "app_pages",
        "confirmed",
        "id",
        "may_ask",
        "searches",
        "server_info",
        "snapshot",
        "stands",
        "tool_lists",
        "tools",
        "used",
        "visible",
        "ways",
    )

    def __init__(self, snapshot: Gateway) -> None:
        self.snapshot = snapshot
        self.id = snapshot.id
        self.server_info = server_info(snapshot.name)
        """`serverInfo`, shared by all answers."""
        self.confirmed = self.used = time.monotonic()
        self.stands = True
        """False once one of its names leads elsewhere, or nowhere."""
        # Judged when it was saved, and again here: it may have been saved before a name was known to be harmful.
        self.allowlist = tuple(name for name in snapshot.header_allowlist if why_not_passed(name) is None)
        rules: dict[str, Rule] = {}
        for rule in snapshot.rules:
            for name in rule.tools:
                rules.setdefault(name, rule)
        for tool in snapshot.tools:
            if is_only_a_task(tool.definition):
                rules.setdefault(tool.exposed, Rule("refuse", "only_as_task", [tool.exposed]))
        self.may_ask = frozenset(snapshot.may_ask)
        """What servers may ask of callers here."""
        self.ways = snapshot.ways
        """Of authenticating that it accepts."""
        self.tools = {tool.exposed: compiled_tool(tool, rules.get(tool.exposed)) for tool in snapshot.tools}
        self._offers = {kind: tuple(offer for offer in snapshot.offers if offer.kind == kind) for kind in OFFER_KINDS}
        self.searches = snapshot.tool_loading == "search_and_run"
        """Whether its tools are looked for, and not listed."""
        pages = app_pages([tool for tool in snapshot.tools if tool.exposed not in rules], self._offers["resources"])
        self.app_pages = pages.by_uri
        """What tools name as the pages of their apps: what each is read as, and the server's own URI of it."""
        self.visible = {str(one["name"]): one for one in pages.definitions}
        """Definitions of the tools that callers are told of, in the order of their names."""
        visible = built_in_tools(self.visible.values()) if self.searches else list(self.visible.values())
        self.tool_lists = {
            Era.LEGACY: tool_lists([tool_for_legacy(one) for one in visible], Era.LEGACY, snapshot.name),
            Era.MODERN: tool_lists([tool_for_modern(one) for one in visible], Era.MODERN, snapshot.name),
        }
        """The pages of `tools/list` by their cursor, as bytes behind the id of an answer."""

    def admits(self, principal: Principal) -> bool:
        """Whether this principal sees the gateway at all."""
        return may_enter(principal, self.snapshot.visibility)

    def accepts(self, way: Way) -> bool:
        """Whether callers may authenticate in this way here."""
        return way in self.ways

    def offers(self, kind: OfferKind) -> tuple[Offer, ...]:
        """All resources, or all prompts, of servers: the offers of this kind."""
        return self._offers[kind]

    def names_uris_by(self, route: Route) -> Offer | None:
        """The offer whose name may stand before URIs of the server on this route; None where none needs one: no other
        server offers resources here, or it does not.
        """
        offers = self._offers["resources"]
        if len(offers) < 2:
            return None
        same = [offer for offer in offers if offer.route.entry_id == route.entry_id]
        exact = (offer for offer in same if offer.route.installation_id == route.installation_id)
        return next(exact, same[0] if same else None)

    def renamed_pages(self, route: Route) -> dict[str, str]:
        """What callers call pages of apps that the server on this route calls otherwise; by its own URIs."""
        pages = self.app_pages.items()
        return {own: uri for uri, (offer, own) in pages if own != uri and offer.route == route}

    def has(self, kind: OfferKind) -> bool:
        """Whether there is anything of this kind here, if only the pages of tools."""
        return bool(self._offers[kind]) or (kind == "resources" and bool(self.app_pages))

    def definition(self, exposed: str) -> dict[str, object]:
        """A tool's definition; empty for one that is not listed."""
        return self.visible.get(exposed, {})
