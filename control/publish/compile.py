"""What the registry keeps to snapshots: pure, and the same bytes for the same, whoever compiles it.

Called by `documents.py` with what `control/store/publication.py` read in one transaction. Holds no secret and no
address: a proxy learns those by resolve calls. A tool that a later discovery no longer found stays: its assignment
is an admin's word, and what another person's credential could not see must not vanish for everybody.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, Final, Literal

from control.registry.gateway import AssignedRoute, GatewayContents, token_issuer_of, visibility_of, ways_in
from control.registry.server_state import Place
from core.mcp.param_headers import InvalidParamHeader, param_headers
from core.snapshot import (
    FORMAT,
    OFFER_KINDS,
    Gateway,
    Index,
    IndexRow,
    Offer,
    OfferKind,
    Route,
    Rule,
    Tool,
    client_auth_of,
)

_REFUSING_STATES: Final[tuple[Literal["quarantined", "held_back"], ...]] = ("quarantined", "held_back")


def compile_gateway(contents: GatewayContents, place: Place | None = None) -> Gateway:
    """The gateway as proxies run it. `place`: where servers run that Archway runs itself; None for nowhere."""
    gateway = contents.gateway
    everything = sorted(contents.assigned, key=lambda one: one.exposed_name)
    assigned = [one for one in everything if one.kind not in OFFER_KINDS]
    personal = gateway.visibility == "personal"
    accepted, beside = client_auth_of(ways_in(gateway))
    return Gateway(
        format=FORMAT,
        id=gateway.id,
        slug=gateway.slug,
        name=gateway.name,
        revision=gateway.revision,
        visibility=visibility_of(gateway),
        tools=[_tool(one, personal=personal, place=place) for one in assigned],
        description=gateway.description,
        instructions=gateway.instructions,
        header_allowlist=sorted({name.lower() for name in gateway.header_allowlist}),
        client_auth=accepted,
        client_auth_beside=beside,
        audit_required=gateway.audit_required,
        rules=_rules(assigned),
        may_ask=sorted(set(gateway.may_ask)),
        tool_loading=gateway.tool_loading,
        offers=[offer for kind in OFFER_KINDS for offer in _offers(everything, kind, personal=personal, place=place)],
        identity_provider=token_issuer_of(contents),
    )


def compile_index(revision: int, epoch: str, gateways: Iterable[IndexRow]) -> Index:
    """The index over every gateway."""
    return Index(FORMAT, epoch, revision, sorted(gateways, key=lambda one: one.id))


def _tool(one: AssignedRoute, *, personal: bool, place: Place | None) -> Tool:
    definition = {**one.definition, "name": one.exposed_name}
    return Tool(
        exposed=one.exposed_name,
        upstream=one.upstream_name,
        assignment_id=one.id,
        definition=definition,
        route=_route(one, personal=personal, place=place),
        kind="resource" if one.kind == "resource" else "tool",
        param_headers=_param_headers(definition),
    )


def _offers(
    assigned: Iterable[AssignedRoute], kind: OfferKind, *, personal: bool, place: Place | None
) -> list[Offer]:
    """Those that may be used: what is quarantined or held back is not there. Named after their servers; where one
    server is there twice, with two installations, after their assignments.
    """
    usable = [one for one in assigned if one.kind == kind and one.state not in _REFUSING_STATES]
    times = Counter(one.entry_slug for one in usable)
    named = [(one.entry_slug if times[one.entry_slug] == 1 else one.exposed_name, one) for one in usable]
    return [
        Offer(name, kind, one.id, one.exposed_name, _route(one, personal=personal, place=place), one.list_revision)
        for name, one in sorted(named, key=itemgetter(0))
    ]


def _route(one: AssignedRoute, *, personal: bool, place: Place | None) -> Route:
    """`personal`: on a personal gateway, whose owner writes its header allowlist and may lose what they pinned.

    So there every installation is the caller's own, which ends with their membership; and headers of theirs go on
    only beside a credential of theirs: beside the organisation's they could tell its server that somebody else calls.
    Where the server gets something else for each caller, every installation is the caller's own, too.
    """
    own_pin = one.installation_scope in {"personal", "service"}
    for_caller = one.for_one_caller or one.tells_of_caller
    return Route(
        kind="remote" if one.entry_kind == "remote" else place or "process",
        entry_id=one.entry_id,
        entry=one.entry_slug,
        installation_id=one.installation_id,
        per_principal=personal or one.installation_id is None or own_pin or for_caller,
        stdio=one.stdio,
        passthrough=one.passthrough and (own_pin or not personal),
        per_credential=one.for_one_caller,
    )


def _param_headers(definition: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    try:
        found = param_headers(definition.get("inputSchema"))
    except InvalidParamHeader:
        return []  # discovery refuses such a tool; a row of an older version must not stop its whole gateway
    return [(token, list(path)) for token, path in found]


def _rules(assigned: Iterable[AssignedRoute]) -> list[Rule]:
    rules = []
    for state in _REFUSING_STATES:
        names = [one.exposed_name for one in assigned if one.state == state]
        if names:
            rules.append(Rule("refuse", state, names))
    return rules
