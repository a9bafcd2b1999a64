"""What the choice of a credential looks at, read in one transaction, for one caller or for many.

Called by `control/internal/` after the callers' tokens were checked in the same transaction. However many callers
there are, each kind of row is asked for once, and installations a second time where some are pinned and some not.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from control.credentials.resolution import ResolutionRows, own_of
from control.registry.account import Account
from control.registry.entry import Entry
from control.registry.gateway import Gateway, visibility_of
from control.registry.installation import Installation
from control.registry.owner import Organisation, Owner, TeamOwner
from control.store import accounts, entries, gateways, installations
from control.store.pool import Connection, Row
from core.resolve import Principal
from core.snapshot import OFFER_KINDS

_ASSIGNMENTS: Final = """
    select a.id, a.gateway_id, a.installation_id as pinned, t.entry_id, t.kind, t.upstream_name
    from assignments a
    join entry_tools t on t.id = a.tool_id
    where a.id = any($1::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One caller and one tool that is assigned to a gateway."""

    gateway_id: str
    assignment_id: str
    principal: Principal


async def resolution_rows(connection: Connection, wanted: Sequence[Wanted]) -> list[ResolutionRows | None]:
    """The rows for each, in the same order; None where the assignment is not on that gateway."""
    if not wanted:
        return []
    rows = await connection.fetch(_ASSIGNMENTS, list({one.assignment_id for one in wanted}))
    by_id = {row["id"]: row for row in rows}
    found = [_on_its_gateway(by_id.get(one.assignment_id), one) for one in wanted]
    asked = [(one, row) for one, row in zip(wanted, found, strict=True) if row is not None]
    if not asked:
        return [None] * len(wanted)
    candidates = await _candidates(connection, asked)
    of_entries = await entries.many(connection, {row["entry_id"] for _, row in asked})
    known = _Known(
        await gateways.many(connection, {row["gateway_id"] for _, row in asked}),
        of_entries,
        candidates,
        await _accounts(connection, candidates),
        await _team_names(connection, wanted),
        await _emails(connection, asked, of_entries),
    )
    return [None if row is None else known.rows(row, one.principal) for one, row in zip(wanted, found, strict=True)]


class _Known:
    """What was read for all of them."""

    def __init__(
        self,
        of_gateways: Mapping[str, Gateway],
        of_entries: Mapping[str, Entry],
        candidates: Sequence[Installation],
        accounts_of: Mapping[str, Account],
        team_names: Mapping[str, str],
        emails: Mapping[str, str],
    ) -> None:
        self._gateways, self._entries, self._team_names = of_gateways, of_entries, team_names
        self._emails = emails
        self._by_id, self._accounts = {one.id: one for one in candidates}, accounts_of
        self._owned: defaultdict[tuple[str, Owner], list[Installation]] = defaultdict(list)
        for one in candidates:
            self._owned[one.entry_id, one.owner].append(one)

    def rows(self, assignment: Row, caller: Principal) -> ResolutionRows | None:
        """What the choice for this caller looks at; None where the gateway or the entry has gone meanwhile."""
        pinned, entry = assignment["pinned"], self._entries.get(assignment["entry_id"])
        gateway = self._gateways.get(assignment["gateway_id"])
        if gateway is None or entry is None:
            return None
        if pinned is None:
            serving = [one for owner in _owners_for(caller) for one in self._owned.get((entry.id, owner), ())]
        else:
            serving = [self._by_id[pinned]] if pinned in self._by_id else []
        held = {one.id: self._accounts[one.id] for one in serving if one.id in self._accounts}
        tool = "" if assignment["kind"] in OFFER_KINDS else assignment["upstream_name"]
        email = self._emails.get(caller.key, "") if _tells_email(entry) else ""
        return ResolutionRows(
            visibility_of(gateway), entry, pinned, serving, self._team_names, held, gateway.slug, tool, email
        )


def _owners_for(caller: Principal) -> list[Owner]:
    """Whose installations may serve a caller."""
    wider: list[Owner] = [Organisation(), *(TeamOwner(team) for team in caller.teams)]
    own = own_of(caller)
    return wider if own is None else [*wider, own]


def _on_its_gateway(assignment: Row | None, wanted: Wanted) -> Row | None:
    return assignment if assignment is not None and assignment["gateway_id"] == wanted.gateway_id else None


async def _candidates(connection: Connection, asked: Sequence[tuple[Wanted, Row]]) -> list[Installation]:
    """The pinned ones, and what may serve those whose tool has none pinned."""
    found: dict[str, Installation] = {}
    if pinned := {row["pinned"] for _, row in asked if row["pinned"] is not None}:
        found |= {one.id: one for one in await installations.many(connection, pinned)}
    if entry_ids := {row["entry_id"] for _, row in asked if row["pinned"] is None}:
        owners = {owner for one, row in asked if row["pinned"] is None for owner in _owners_for(one.principal)}
        found |= {one.id: one for one in await installations.candidates(connection, entry_ids, owners)}
    return list(found.values())


async def _accounts(connection: Connection, candidates: Sequence[Installation]) -> Mapping[str, Account]:
    """What they hold at providers."""
    return await accounts.many(connection, [one.id for one in candidates]) if candidates else {}


async def _team_names(connection: Connection, wanted: Sequence[Wanted]) -> dict[str, str]:
    teams = {team for one in wanted for team in one.principal.teams}
    if not teams:
        return {}
    rows = await connection.fetch("select id, name from teams where id = any($1::uuid[])", list(teams))
    return {row["id"]: row["name"] for row in rows}


async def _emails(
    connection: Connection, asked: Sequence[tuple[Wanted, Row]], of_entries: Mapping[str, Entry]
) -> dict[str, str]:
    """Of the people among the callers whose server is told it, by the principal's key."""
    telling = {entry_id for entry_id, entry in of_entries.items() if _tells_email(entry)}
    callers = [one.principal for one, row in asked if row["entry_id"] in telling]
    people = {one.id: one.key for one in callers if one.kind == "user"}
    if not people:
        return {}
    rows = await connection.fetch("select id, email from users where id = any($1::uuid[])", list(people))
    return {people[row["id"]]: row["email"] for row in rows}


def _tells_email(entry: Entry) -> bool:
    wanted = entry.caller_statement
    return wanted is not None and "email" in (wanted.tells if wanted.form == "jwt" else wanted.headers)
