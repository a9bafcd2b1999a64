"""A gateway as the registry keeps it: what its snapshot is made of, and who sees it.

Read by `control/store/`, compiled by `control/publish/`, asked by the choice of a credential. Leaves out who may
change one: that is `gateway_access.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.snapshot import Visibility

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GatewayRows:
    """All that a snapshot is made of."""

    gateway: Row
    """A row of `gateways`."""
    teams: list[str]
    """Identifiers of the teams that see it."""
    assignments: list[Row]
    """`id, exposed_name, installation_id`, the tool's `kind, upstream_name, definition, state`, the entry's
    `entry_id, entry_slug, entry_kind, passthrough`, and the pinned installation's `installation_scope`."""


def visibility_of(gateway: Row, teams: Iterable[str]) -> Visibility:
    """Who sees a gateway; teams and owner only where they count."""
    if gateway["visibility"] == "teams":
        return Visibility("teams", teams=sorted(str(team) for team in teams))
    if gateway["visibility"] == "personal":
        return Visibility("personal", owner=str(gateway["owner_id"]))
    return Visibility("organisation")
