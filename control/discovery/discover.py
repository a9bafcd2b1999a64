"""Discovery: ask an installation's server what it offers, and keep that with the entry.

Called when an installation is made or filled in anew, and on demand. Three steps, so that no transaction is open
while a server is waited for: read the rows, ask through a proxy, write what was found unless the installation or the
entry changed meanwhile. A server that cannot be reached makes the installation `unreachable` with the reason; what
the entry knew of its tools stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from control.credentials.connection import RowSealers, connection_of
from control.discovery.probe_client import DEADLINE_S, ProbeClient, ProbeUnavailable
from control.registry.tool_definitions import Found, found_tools
from control.store import entries, installations, outbox, tools
from control.store.pool import Connection as Session
from control.store.pool import Pool, Row, transaction
from core.resolve import Connection, ConnectionRefusal, Probe
from core.sealing import SealBroken

MAX_REPORTED: Final = 100
"""Rejected tools that are named; a hostile server could list thousands."""
_MAX_TEXT: Final = 256

State = Literal["ready", "unreachable", "needs_sign_in"]


@dataclass(frozen=True, slots=True)
class Discovery:
    """How it went, for the person who waits."""

    state: State
    reason: str = ""
    tools: int = 0
    rejected: tuple[tuple[str, str], ...] = ()
    """Name as the server gave it (escaped) and why it was left out."""


class Discoverer:
    """Needs the database, a way to ask proxies, and what opens the rows' secrets."""

    def __init__(self, pool: Pool, probes: ProbeClient, sealers: RowSealers) -> None:
        self._pool = pool
        self._probes = probes
        self._sealers = sealers

    async def discover(self, installation_id: str, deadline: float = DEADLINE_S) -> Discovery | None:
        """Ask and keep; None where the installation is gone, or changed while its server was asked."""
        async with transaction(self._pool, readonly=True) as session:
            installation = await installations.one(session, installation_id)
            entry = None if installation is None else await entries.one(session, installation["entry_id"])
        if installation is None or entry is None:
            return None
        answer = await self._ask(entry, installation, deadline)
        async with transaction(self._pool) as session:
            if not await _still(session, entry, installation):
                return None
            return await _keep(session, entry["id"], installation_id, answer)

    async def _ask(self, entry: Row, installation: Row, deadline: float) -> "Probe | Discovery":
        connection = self._connection(entry, installation)
        if isinstance(connection, Discovery):
            return connection
        try:
            return await self._probes.probe(connection, deadline)
        except ProbeUnavailable:
            return Discovery(
                "unreachable", "No proxy answered the question; see that one runs, then discover again.", 0
            )

    def _connection(self, entry: Row, installation: Row) -> "Connection | Discovery":
        try:
            secrets = self._sealers.open(entry, installation)
        except SealBroken:
            return Discovery("needs_sign_in", "Its secrets do not open with ARCHWAY_SECRET_KEY; give them again.")
        connection = connection_of(entry, installation, secrets)
        if isinstance(connection, ConnectionRefusal):
            return Discovery("needs_sign_in", connection.sentence)
        return connection


async def _still(session: Session, entry: Row, installation: Row) -> bool:
    """Whether what was probed is what the rows still say; locks both, the entry first as all writers do."""
    now_entry = await entries.one(session, entry["id"], lock=True)
    now = await installations.one(session, installation["id"], lock=True)
    return (
        now_entry is not None
        and now is not None
        and now_entry["version"] == entry["version"]
        and now["credential_version"] == installation["credential_version"]
        and now["protocol"] == installation["protocol"]
    )


async def _keep(session: Session, entry_id: str, installation_id: str, answer: "Probe | Discovery") -> Discovery:
    if isinstance(answer, Probe) and answer.fault:
        answer = Discovery("unreachable", _cut(answer.sentence or answer.fault))
    if isinstance(answer, Discovery):
        await installations.set_state(session, installation_id, answer.state, answer.reason)
        return answer
    found = found_tools(answer.tools, answer.resources, answer.rejected)
    await installations.set_server(session, installation_id, server_facts(answer, found))
    if await tools.store(session, entry_id, found.tools):
        await outbox.touch_gateways(session, await entries.gateways_of(session, entry_id))
    return Discovery("ready", "", len(found.tools), found.rejected[:MAX_REPORTED])


def server_facts(probe: Probe, found: Found) -> Mapping[str, Any]:
    """What the installation's row keeps of its server; texts from outside are cut and escaped."""
    return {
        "era": probe.era,
        "version": _cut(probe.version),
        "server_name": _cut(probe.server_name),
        "server_version": _cut(probe.server_version),
        "capabilities": [_cut(name) for name in probe.capabilities[:50]],
        "tools": len(found.tools),
        "rejected": [{"name": _cut(name), "reason": _cut(why)} for name, why in found.rejected[:MAX_REPORTED]],
    }


def _cut(text: str) -> str:
    # Escapes, because jsonb takes no U+0000 and a person's terminal should take no control marks.
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:_MAX_TEXT])
