"""Pages of MCP Apps: the resource `ui://...` that a tool names, and that a client shows beside the tool's results.

Whoever sees the tool may read its page, whether the resources of its server are on the gateway or not. A page is read
of the tool's own server: where two name the same URI, each gets the tool's name on the gateway before it. So does one
that begins like what another server is known by: none is taken for another's. Called once for each snapshot, by
`compiled.py`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from core.snapshot import Offer, Route, Tool

_SCHEME: Final = "ui://"
_Server: TypeAlias = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class AppPages:
    """The pages of a gateway's tools."""

    by_uri: dict[str, tuple[Offer, str]]
    """By the URI that callers know: what it is read as, which is for who may call the tool, and the server's own."""
    definitions: list[dict[str, object]]
    """Of the tools, in their order, with the URIs that callers know."""


def app_pages(tools: Collection[Tool], offers: Iterable[Offer] = ()) -> AppPages:
    """The pages of these tools, which callers see. `offers`: of resources, whose names stand before URIs, too."""
    servers: dict[str, set[_Server]] = defaultdict(set)
    names: dict[str, set[_Server]] = defaultdict(set)
    for offer in offers:
        names[offer.name if offer.name[:1].isalpha() else f"n{offer.name}"].add(_server(offer.route))
    for tool in tools:
        names[tool.exposed].add(_server(tool.route))
        for own in _named(tool.definition):
            servers[own].add(_server(tool.route))
    by_uri: dict[str, tuple[Offer, str]] = {}
    definitions: list[dict[str, object]] = []
    for tool in tools:
        offer = Offer(tool.exposed, "resources", tool.assignment_id, tool.exposed, tool.route)
        mine = {_server(tool.route)}
        known = {
            own: own if servers[own] == mine and names.get(_name_in(own), mine) == mine else _with_tool(tool, own)
            for own in _named(tool.definition)
        }
        for own, uri in known.items():
            by_uri.setdefault(uri, (offer, own))
        renamed = any(own != uri for own, uri in known.items())
        definitions.append(_with_known(tool.definition, known) if renamed else tool.definition)
    return AppPages(by_uri, definitions)


def _server(route: Route) -> _Server:
    """What is one server to a caller: of an entry the one installation, or whichever is theirs."""
    return route.entry_id, route.installation_id


def _named(definition: Mapping[str, object]) -> list[str]:
    """The URIs in a tool's `_meta`: as the extension has it, and as it was before (`ui/resourceUri`)."""
    meta = definition.get("_meta")
    if not isinstance(meta, dict):
        return []
    ui = meta.get("ui")
    named = [ui.get("resourceUri") if isinstance(ui, dict) else None, meta.get("ui/resourceUri")]
    return list(dict.fromkeys(uri for uri in named if isinstance(uri, str) and uri.startswith(_SCHEME)))


def _name_in(own: str) -> str:
    """What stands where the name of a tool, or of an offer, stands before a URI."""
    return own.removeprefix(_SCHEME).partition("+")[0] if "+" in own else ""


def _with_tool(tool: Tool, own: str) -> str:
    """As names of resources that two servers have alike are told apart (docs/adr/0044)."""
    return f"{_SCHEME}{tool.exposed}+{own.removeprefix(_SCHEME)}"


def _with_known(definition: dict[str, object], known: Mapping[str, str]) -> dict[str, object]:
    meta = definition["_meta"]
    assert isinstance(meta, dict)  # it has a URI
    told, ui = dict(meta), meta.get("ui")
    for own, uri in known.items():
        if isinstance(ui, dict) and ui.get("resourceUri") == own:
            told["ui"] = {**ui, "resourceUri": uri}
        if meta.get("ui/resourceUri") == own:
            told["ui/resourceUri"] = uri
    return {**definition, "_meta": told}
