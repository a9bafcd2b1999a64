"""Discovery: ask an installation's server what it offers, and keep that with the entry.

Called when an installation is made or filled in anew, and on demand. Steps, so that no transaction is open while a
server is waited for or its answer worked through: read the rows, ask through a proxy, work out what the answer means
(in a thread: a server may list megabytes, and others wait for this loop), write it unless the installation or the
entry changed meanwhile. A server that cannot be reached makes the installation `unreachable` with the reason; what
the entry knew of its tools stays.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from control.credentials.connection import connection_of
from control.discovery.probe_client import DEADLINE_S, ProbeClient, ProbeUnavailable
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from control.registry.tool_definitions import Found, found_tools
from control.store import entries, installations, outbox, tools
from control.store.pool import Connection, Pool, transaction
from core.resolve import ConnectionRefusal, Probe
from core.sealing import SealBroken

MAX_REPORTED: Final = 100
"""Rejected tools that are named; a hostile server could list thousands."""
_MAX_TEXT: Final = 256
_FEWEST_TELLING: Final = 6
"""Characters of a secret that is worth hiding in texts; a shorter one would blank ordinary words."""
_SAID: Final = ("sentence", "server_name", "server_version", "version")

State = Literal["ready", "unreachable", "needs_sign_in"]


@dataclass(frozen=True, slots=True)
class Discovery:
    """How it went, for the person who waits."""

    state: State
    reason: str = ""
    tools: int = 0
    rejected: tuple[tuple[str, str], ...] = ()
    """Name as the server gave it (escaped) and why it was left out."""


@dataclass(frozen=True, slots=True)
class Understood:
    """An answer worked through: what its rows will keep."""

    found: Found
    facts: Mapping[str, Any]


class Discoverer:
    """Needs the database, a way to ask proxies, and what opens the rows' secrets."""

    def __init__(self, pool: Pool, probes: ProbeClient, seals: RowSeals) -> None:
        self._pool = pool
        self._probes = probes
        self._seals = seals

    async def discover(self, installation_id: str, deadline: float = DEADLINE_S) -> Discovery | None:
        """Ask and keep; None where the installation is gone, or changed while its server was asked."""
        async with transaction(self._pool, readonly=True) as connection:
            installation = await installations.one(connection, installation_id)
            entry = None if installation is None else await entries.one(connection, installation.entry_id)
        if installation is None or entry is None:
            return None
        answer, secrets = await self._ask(entry, installation, deadline)
        understood = await asyncio.to_thread(understand, answer, secrets)
        async with transaction(self._pool) as connection:
            if not await _still(connection, entry, installation):
                return None
            return await _keep(connection, entry.id, installation_id, understood)

    async def _ask(
        self, entry: Entry, installation: Installation, deadline: float
    ) -> "tuple[Probe | Discovery, frozenset[str]]":
        """The answer, and the secrets that were used for it."""
        try:
            opened = self._seals.open(entry, installation)
        except SealBroken:
            why = "Its secrets do not open with ARCHWAY_SECRET_KEY; give them again."
            return Discovery("needs_sign_in", why), frozenset()
        secrets = frozenset(opened.fixed_headers.values()) | frozenset(opened.values.values())
        connection = connection_of(entry, installation, opened)
        if isinstance(connection, ConnectionRefusal):
            return Discovery("needs_sign_in", connection.sentence), secrets
        try:
            return await self._probes.probe(connection, deadline), secrets
        except ProbeUnavailable:
            why = "No proxy answered the question; see that one runs, then discover again."
            return Discovery("unreachable", why), secrets


async def _still(connection: Connection, entry: Entry, installation: Installation) -> bool:
    """Whether what was probed is what the rows still say; locks both, the entry first as all writers do."""
    now_entry = await entries.one(connection, entry.id, lock=True)
    now = await installations.one(connection, installation.id, lock=True)
    return (
        now_entry is not None
        and now is not None
        and now_entry.version == entry.version
        and now.credential_version == installation.credential_version
        and now.protocol == installation.protocol
    )


async def _keep(
    connection: Connection, entry_id: str, installation_id: str, understood: "Understood | Discovery"
) -> Discovery:
    if isinstance(understood, Discovery):
        await installations.set_state(connection, installation_id, understood.state, understood.reason)
        return understood
    found = understood.found
    await installations.set_server(connection, installation_id, understood.facts)
    if await tools.store(connection, entry_id, found.tools):
        await outbox.touch_gateways(connection, await entries.gateways_of(connection, entry_id))
    return Discovery("ready", "", len(found.tools), found.rejected[:MAX_REPORTED])


def understand(answer: "Probe | Discovery", secrets: Collection[str]) -> "Understood | Discovery":
    """What to keep of an answer, or why there is nothing. Pure; a long list takes it a second and more."""
    answer = without_secrets(answer, secrets)
    if isinstance(answer, Discovery):
        return answer
    if answer.fault:
        return Discovery("unreachable", _cut(answer.sentence or answer.fault))
    found = found_tools(answer.tools, answer.resources, answer.rejected)
    return Understood(found, server_facts(answer, found))


def without_secrets(answer: "Probe | Discovery", secrets: Collection[str]) -> "Probe | Discovery":
    """A server may repeat the credential in what it says of itself or of a fault; it must not be read there.

    Definitions of tools stay as they are: blanking words in names and schemas would break more than it hides.
    """
    telling = sorted((secret for secret in secrets if len(secret) >= _FEWEST_TELLING), key=len, reverse=True)
    if isinstance(answer, Discovery):
        return answer
    said = {name: _blanked(getattr(answer, name), telling) for name in _SAID}
    return msgspec.structs.replace(answer, **said)


def _blanked(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "<sealed>")
    return text


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
