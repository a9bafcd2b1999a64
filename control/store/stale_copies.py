"""Which changes still have copies of resolved installations in Redis, and which copies those are.

Called by `control/publish/`. A row is claimed until its transaction ends, so that several replicas share the work
and one that dies leaves it to the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from control.store.pool import Connection
from core.changes import Kind
from core.redis_names import EVERYBODY, principal_in

_CLAIM: Final = "select id, kind, name from stale_copies order by id limit $1 for update skip locked"

_TOOLS_OF: Final = """
    select a.id from assignments a
    join entry_tools t on t.id = a.tool_id
    left join installations i on i.entry_id = t.entry_id and i.id = any($2::uuid[])
    where t.entry_id = any($1::uuid[]) or a.installation_id = i.id or (a.installation_id is null and i.id is not null)
"""
"""Assignments of these entries, and those that these installations serve or may serve."""

_GONE: Final = """
    select exists (select 1 from unnest($1::uuid[]) as asked (id)
                   where not exists (select 1 from installations i where i.id = asked.id))
"""


@dataclass(frozen=True, slots=True)
class StaleChange:
    """A change whose event is out and whose copies have still to be deleted."""

    id: int
    kind: Kind
    name: str
    """As `core.changes.Change` has it."""


@dataclass(frozen=True, slots=True)
class StaleCopies:
    """Copies that must go, by the parts of their names: gateway, assignment, caller."""

    gateways: frozenset[str] = frozenset()
    assignments: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    """As `user:ID`, `service:ID` or `external:ID`."""
    every_caller: bool = False
    """All that are some caller's own: whose they were cannot be told any more."""

    def concern(self, key: str) -> bool:
        """Whether the copy under `gateway/assignment/caller` goes; what is out of form goes too."""
        parts = key.split("/")
        if len(parts) != 3:
            return True
        gateway, assignment, caller = parts[0], parts[1], principal_in(parts[2])
        if gateway in self.gateways or assignment in self.assignments or caller in self.callers:
            return True
        return self.every_caller and caller != EVERYBODY


async def note(connection: Connection, changes: Iterable[tuple[str, str]]) -> None:
    """Copies that these changes (kind, identifier) make untrue are to be deleted."""
    rows = sorted(set(changes))
    if rows:
        await connection.executemany("insert into stale_copies (kind, name) values ($1, $2)", rows)


async def claim(connection: Connection, limit: int) -> list[StaleChange]:
    """Changes that nobody else has, oldest first."""
    return [StaleChange(*row) for row in await connection.fetch(_CLAIM, limit)]


async def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Their copies are gone."""
    await connection.execute("delete from stale_copies where id = any($1::bigint[])", list(ids))


async def concerned(connection: Connection, changes: Sequence[StaleChange]) -> StaleCopies:
    """The copies that these changes make untrue.

    A team's change concerns every caller, since anybody may have been in it. So does an installation that is gone:
    its entry is not known any more. (Gateways with a tool pinned to it are among the changes themselves.)
    """
    names: dict[str, list[str]] = {}
    for one in changes:
        names.setdefault(one.kind, []).append(one.name)
    installations = names.get("installation", [])
    tools = await connection.fetch(_TOOLS_OF, names.get("entry", []), installations)
    return StaleCopies(
        frozenset(names.get("gateway", [])),
        frozenset(row["id"] for row in tools),
        frozenset(_callers(names)),
        "team" in names or bool(await connection.fetchval(_GONE, installations)),
    )


def _callers(names: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Whose own copies go. A client that acts by itself calls itself by its identifier, and is a caller by that."""
    for kind, caller in (("user", "user"), ("client", "service"), ("external", "external")):
        for name in names.get(kind, ()):
            yield f"{caller}:{name}"
