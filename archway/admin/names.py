"""Names in the place of identifiers, for people who read a table. Programs get what the API says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archway.admin_client import AdminApi, Problem

ORGANISATION = "organisation"
CALLERS = "the caller's"
"""Whose installation serves a call that is not pinned to one."""


@dataclass(slots=True)
class Names:
    """What objects are called, each asked for once; one that is gone, or not the asker's to see, keeps its id."""

    api: AdminApi
    known: dict[str, str] = field(default_factory=dict)

    def team(self, identifier: str) -> str:
        """A team's name."""
        return self._named(f"/teams/{identifier}", "name", identifier)

    def user(self, identifier: str) -> str:
        """A user's e-mail."""
        return self._named(f"/users/{identifier}", "email", identifier)

    def _named(self, path: str, field_name: str, otherwise: str) -> str:
        if path not in self.known:
            try:
                self.known[path] = str(self.api.get(path).get(field_name) or otherwise)
            except Problem:
                self.known[path] = otherwise
        return self.known[path]


def with_owners(api: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Entries or gateways with `owner`, which says who sees them, and with the names of their teams."""
    names = Names(api)
    return [_with_owner(names, item) for item in items]


def _with_owner(names: Names, item: Mapping[str, Any]) -> dict[str, Any]:
    if item.get("visibility") == "teams":
        teams = [names.team(str(team)) for team in item.get("teams") or []]
        return {**item, "owner": ", ".join(teams), "teams": teams}
    owner = item.get("owner_id")
    return {**item, "owner": names.user(str(owner)) if owner else ORGANISATION}


def with_token_owners(_: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tokens whose owner is the organisation say so."""
    return [{**item, "owner": item.get("owner") or ORGANISATION} for item in items]


def with_pins(_: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Assignments that say whose installation serves a call."""
    return [{**item, "installation_name": item.get("installation_name") or CALLERS} for item in items]


def with_objects(_: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines of the audit trail with what the object was called at that time."""
    return [{**item, "object": _called(item.get("after") or item.get("before") or {})} for item in items]


def _called(object_: Mapping[str, Any]) -> str:
    return next(
        (str(object_[name]) for name in ("email", "exposed_name", "address", "slug", "name") if object_.get(name)), ""
    )
