"""Rows to snapshots: pure, and the same bytes for the same rows whoever compiles them.

Called by `documents.py` with what `control/store/publication.py` read in one transaction. Holds no secret and no
address: a proxy learns those by resolve calls. A tool that a later discovery no longer found stays: its assignment
is an admin's word, and what another person's credential could not see must not vanish for everybody.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from control.registry.gateway import GatewayRows, visibility_of
from core.mcp.param_headers import InvalidParamHeader, param_headers
from core.snapshot import FORMAT, Gateway, Index, IndexRow, Route, Rule, Tool

Row = Mapping[str, Any]

_REFUSING_STATES: Final[tuple[Literal["quarantined", "held_back"], ...]] = ("quarantined", "held_back")


def compile_gateway(rows: GatewayRows) -> Gateway:
    """The gateway as proxies run it."""
    row = rows.gateway
    assignments = sorted(rows.assignments, key=lambda one: str(one["exposed_name"]))
    return Gateway(
        format=FORMAT,
        id=str(row["id"]),
        slug=row["slug"],
        name=row["name"],
        revision=row["revision"],
        visibility=visibility_of(row, rows.teams),
        tools=[_tool(one, personal=row["visibility"] == "personal") for one in assignments],
        description=row["description"],
        instructions=row["instructions"],
        header_allowlist=sorted({name.lower() for name in row["header_allowlist"]}),
        audit_required=row["audit_required"],
        rules=_rules(assignments),
    )


def compile_index(revision: int, epoch: str, rows: Iterable[Row]) -> Index:
    """The index over `id, slug, revision` of every gateway."""
    gateways = [IndexRow(str(row["id"]), row["slug"], row["revision"]) for row in rows]
    return Index(FORMAT, epoch, revision, sorted(gateways, key=lambda one: one.id))


def _tool(row: Row, *, personal: bool) -> Tool:
    definition = {**row["definition"], "name": row["exposed_name"]}
    return Tool(
        exposed=row["exposed_name"],
        upstream=row["upstream_name"],
        assignment_id=str(row["id"]),
        definition=definition,
        route=_route(row, personal=personal),
        kind=row["kind"],
        param_headers=_param_headers(definition),
    )


def _route(row: Row, *, personal: bool) -> Route:
    """`personal`: on a personal gateway, whose owner writes its header allowlist and may lose what they pinned.

    So there every connection is the caller's own, which ends with their membership; and headers of theirs go on only
    beside a credential of theirs: beside the organisation's they could tell its server that somebody else calls.
    """
    pinned = row["installation_id"]
    own_pin = pinned is not None and row["installation_scope"] == "personal"
    return Route(
        kind=row["entry_kind"],
        entry_id=str(row["entry_id"]),
        entry=row["entry_slug"],
        installation_id=None if pinned is None else str(pinned),
        per_principal=personal or pinned is None or own_pin,
        passthrough=row["passthrough"] and (own_pin or not personal),
    )


def _param_headers(definition: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    try:
        found = param_headers(definition.get("inputSchema"))
    except InvalidParamHeader:
        return []  # discovery refuses such a tool; a row of an older version must not stop its whole gateway
    return [(token, list(path)) for token, path in found]


def _rules(assignments: list[Row]) -> list[Rule]:
    rules = []
    for state in _REFUSING_STATES:
        names = [row["exposed_name"] for row in assignments if row["state"] == state]
        if names:
            rules.append(Rule("refuse", state, names))
    return rules
