"""Records of calls as pages show them: with names in place of identifiers, as far as the person may be told of them.

Called by the pages of Activity. Whose records they are given is judged before (`control/registry/record_access.py`);
what a record names may still be hidden from them, or be gone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from control.registry.access import Caller
from control.registry.installing import may_see
from control.registry.owner import Person, TeamOwner
from control.registry.visibility import sees
from control.store import entries, gateways, installations, names_by_id
from control.store.pool import Connection
from control.store.records import KeptRecord
from core.identifiers import is_id

_QUIET: Final = {"cancelled"}


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a record names."""

    name: str
    """'' for what is hidden from the person, or is gone."""
    path: str = ""
    """Of its page, where it has one that the person sees."""


NOTHING: Final = Named("")


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """The record of one call, with names."""

    id: str
    time: datetime
    told: Mapping[str, Any]
    """As `core.records.CallRecord` has it; what it leaves out is not in it."""
    who: Named
    gateway: Named
    entry: Named
    installation: Named
    whose: Named
    """Whose installation it was."""

    def value(self, name: str) -> Any:
        """A field of the record; '' for what it leaves out."""
        return self.told.get(name, "")

    @property
    def state(self) -> tuple[str, str]:
        """How it ended, in its own word, and the tone in which it is said."""
        status = str(self.value("status"))
        if status == "ok":
            return status, "ok"
        if status in _QUIET:
            return status, "quiet"
        return status.replace("_", " "), "warn" if status == "tool_error" else "bad"

    @property
    def duration(self) -> str:
        """`12 ms`, `3.4 s`; '' where it is not known."""
        took = self.told.get("duration_ms")
        if not isinstance(took, int | float):
            return ""
        return f"{took:.0f} ms" if took < 1_000 else f"{took / 1_000:.1f} s"


async def shown_records(connection: Connection, caller: Caller, kept: Sequence[KeptRecord]) -> list[ShownRecord]:
    """The records in their order; six statements, however many they are."""
    told = [one.record for one in kept]
    owners = [*_all(told, "principal"), *_all(told, "installation_owner")]
    people = await names_by_id.people(connection, [one for one in _ids(owners, "user:") if _knows(caller, one)])
    teams = await names_by_id.teams(connection, _ids(owners, "team:"))
    clients = await names_by_id.clients(connection, _ids(owners, "service:"))
    named_owners = {one: _owner(one, caller, people, teams, clients) for one in owners}
    named_gateways = await _gateways(connection, caller, _all(told, "gateway_id"))
    named_entries = await _entries(connection, caller, _all(told, "entry_id"))
    named_installations = await _installations(connection, caller, _all(told, "installation_id"))
    return [
        ShownRecord(
            one.id,
            one.time,
            one.record,
            _without_account(one.record) or named_owners.get(one.record.get("principal", ""), NOTHING),
            named_gateways.get(one.record.get("gateway_id", ""), NOTHING),
            named_entries.get(one.record.get("entry_id", ""), NOTHING),
            named_installations.get(one.record.get("installation_id", ""), NOTHING),
            named_owners.get(one.record.get("installation_owner", ""), NOTHING),
        )
        for one in kept
    ]


def _all(told: Iterable[Mapping[str, Any]], field: str) -> list[str]:
    """What the records have in a field, each once."""
    return list(dict.fromkeys(str(one[field]) for one in told if one.get(field)))


def _ids(owners: Iterable[str], kind: str) -> list[str]:
    return [one.removeprefix(kind) for one in owners if one.startswith(kind) and is_id(one.removeprefix(kind))]


def _knows(caller: Caller, user_id: str) -> bool:
    return caller.may_for("user:read", Person(user_id))


def _owner(
    key: str, caller: Caller, people: Mapping[str, str], teams: Mapping[str, str], clients: Mapping[str, str]
) -> Named:
    """A caller or an owner, as records name them. The team of one's own call, or of its credential, is no secret."""
    kind, _, identifier = key.partition(":")
    if kind == "organisation":
        return Named("the organisation")
    if kind == "team":
        return _team(identifier, teams.get(identifier), caller)
    if kind == "service":
        return _client(identifier, clients.get(identifier), caller)
    if identifier in people:
        return Named(people[identifier], f"/people/{identifier}")
    return Named("somebody who is gone" if _knows(caller, identifier) else "somebody else")


def _without_account(record: Mapping[str, Any]) -> Named | None:
    """Somebody without an account, whom their record names for good."""
    if not str(record.get("principal", "")).startswith("external:"):
        return None
    return Named(f"{record.get('subject', '')} at {record.get('issuer', '')}")


def _team(team_id: str, name: str | None, caller: Caller) -> Named:
    if name is None:
        return Named("a team that is gone")
    return Named(f"the team {name}", f"/teams/{team_id}" if caller.may_for("team:read", TeamOwner(team_id)) else "")


def _client(client_id: str, name: str | None, caller: Caller) -> Named:
    if name is None:
        return Named("a service account that is gone")
    path = f"/oauth-clients/{client_id}" if caller.may("oauth_client:read") else ""
    return Named(f"the service account {name}", path)


async def _gateways(connection: Connection, caller: Caller, ids: Iterable[str]) -> dict[str, Named]:
    found = await gateways.many(connection, [one for one in ids if is_id(one)])
    return {
        one.id: Named(one.name, f"/gateways/{one.id}")
        for one in found.values()
        if sees(caller, "gateway:read", one.visibility, one.teams, one.owner_id)
    }


async def _entries(connection: Connection, caller: Caller, ids: Iterable[str]) -> dict[str, Named]:
    found = await entries.many(connection, [one for one in ids if is_id(one)])
    return {
        one.id: Named(one.name, f"/registry/{one.id}")
        for one in found.values()
        if sees(caller, "entry:read", one.visibility, one.teams)
    }


async def _installations(connection: Connection, caller: Caller, ids: Iterable[str]) -> dict[str, Named]:
    found = await installations.many(connection, [one for one in ids if is_id(one)])
    return {one.id: Named(one.name, f"/installations/{one.id}") for one in found if may_see(caller, one.owner)}
