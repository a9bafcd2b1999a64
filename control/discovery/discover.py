"""Discovery: ask an installation's server what it offers, and keep that with the entry.

Called when an installation is made or its answers change, and on demand. It goes in steps, so that no transaction is
open while a server is waited for or its answer worked through: read the rows, ask through a proxy, work out what the
answer means (in a thread: a server may list megabytes, and others wait for this loop), write it unless the
installation or the entry changed meanwhile. A server that cannot be reached makes the installation `unreachable` with
the reason; what the entry knew of its tools stays.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import msgspec

from control.changes import discoveries, idle_servers
from control.changes.discoveries import FailedState
from control.changes.safeguards import Safeguards
from control.changes.write import Write, changing
from control.credentials.binding import why_to_fill_again
from control.credentials.resolved import resolve_without_secrets
from control.credentials.usable import Usable
from control.discovery.as_whom import opened_for, refused_as
from control.discovery.blanking import blanked, written_in_texts
from control.discovery.probe_client import DEADLINE_S, ProbeClient
from control.proxies import ProxyAway
from control.registry.access import Caller
from control.registry.account import Account
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.tool_definitions import Found, found_tools
from control.store import accounts, entries, installations
from control.store.pool import Pool, transaction
from core.probes import Probe
from core.resolve import InstallationRefusal
from core.snapshot import OFFER_KINDS

MAX_REPORTED: Final = 100
"""Rejected tools that are named, and notes that are kept; a hostile server could list thousands. More are counted."""
_MAX_TEXT: Final = 256
MAX_REASON: Final = 1_024
"""Characters of what a failure is told with: the fault, what to do, and the server's own words."""
_SAID: Final = ("sentence", "server_name", "server_version", "version")

_TOLD_BY_ITS_STATE: Final = frozenset({"server_starting", "server_failed"})
"""Refusals of a server that we run: it is asked by itself when it becomes ready (`server_reports.py`)."""
_PASSING: Final = _TOLD_BY_ITS_STATE | {"provider_away"}
"""Refusals that nobody has to sign in for."""
SERVER: Final = Caller("", "the server", "member")
"""Who is named in the audit trail where nobody asked for a discovery."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer to keep."""

    state: FailedState
    reason: str
    is_kept: bool = True
    """Whether the installation is in that state from then on."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """How a discovery went, for the person who waits for it."""

    state: Literal["ready"] | FailedState
    reason: str = ""
    tools: int = 0
    rejected: tuple[tuple[str, str], ...] = ()
    """Name as the server gave it (escaped) and why it was left out."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a server's answer means: what the installation's and the entry's rows will keep of it."""

    found: Found
    facts: Mapping[str, Any]


class Discoverer:
    """Discovers tools; it needs the database, a way to ask proxies, and what opens the rows' secrets."""

    def __init__(self, pool: Pool, probes: ProbeClient, safeguards: Safeguards, usable: Usable) -> None:
        self._pool = pool
        self._probes = probes
        self._safeguards = safeguards
        self._usable = usable

    async def look(self, entry: Entry) -> str:
        """Where the entry's URL redirects to, in words; '' where it does not, or where that cannot be known now."""
        server = resolve_without_secrets(entry)
        if server is None:
            return ""
        try:
            found = await self._probes.look(server)
        except ProxyAway:
            return ""
        # A proxy of the version before asks all that it knows, and would tell of a credential that nobody gave yet.
        return _cut(found.sentence, MAX_REASON) if found.fault == "upstream_status" else ""

    async def discover(
        self, installation_id: str, deadline: float = DEADLINE_S, asked_by: Caller = SERVER, *, heard: bool = False
    ) -> Discovery | None:
        """Ask and keep; None where the installation is gone, or changed while its server was asked. `heard`: because
        the server said that its lists have changed; of a failure then nothing is kept. A server that is asleep is
        started only for somebody who asks.
        """
        async with transaction(self._pool, readonly=True) as connection:
            installation = await installations.one(connection, installation_id)
            entry = None if installation is None else await entries.one(connection, installation.entry_id)
            account = None if installation is None else await accounts.one(connection, installation.id)
        if installation is None or entry is None:
            return None
        if asked_by is not SERVER and installation.idleness is not None:  # somebody waits for it
            async with changing(self._pool, asked_by) as write:
                await idle_servers.use_and_ask(write, installation.id)
        answer, secrets = await self._ask(entry, installation, account, deadline, asked_by)
        understood = await asyncio.to_thread(understand, answer, secrets)
        async with changing(self._pool, asked_by) as write:
            return await _keep(write, entry, installation, understood, heard=heard)

    async def _ask(
        self, entry: Entry, installation: Installation, account: Account | None, deadline: float, asked_by: Caller
    ) -> "tuple[Probe | Failure, frozenset[str]]":
        """The answer, and the secrets that were used for it."""
        if installation.state == "needs_sign_in":
            # Judged by what is so now: an earlier discovery may have found that its secrets could not be opened.
            to_fill = why_to_fill_again(entry, installation, self._safeguards.addresses)
            if to_fill is not None:
                return Failure("needs_sign_in", to_fill), frozenset()
        person = asked_by.user_id or installation.created_by
        found, whose = await opened_for(
            self._usable, entry, replace(installation, state="new"), account, person, passing=_PASSING
        )
        if isinstance(found, InstallationRefusal):
            state: FailedState = "unreachable" if found.code in _PASSING else "needs_sign_in"
            return Failure(state, found.sentence, is_kept=found.code not in _TOLD_BY_ITS_STATE), frozenset()
        resolved, opened = found
        secrets = opened.all
        try:
            probe = await self._probes.probe(resolved, deadline)
            return refused_as(probe, whose), secrets
        except ProxyAway as unavailable:
            return Failure("unreachable", str(unavailable)), secrets


async def _keep(
    write: Write, entry: Entry, installation: Installation, understood: "Understood | Failure", *, heard: bool
) -> Discovery | None:
    if isinstance(understood, Failure):
        state, reason = understood.state, understood.reason
        if heard or not understood.is_kept:
            return Discovery(state, reason)
        kept = await discoveries.keep_failure(write, entry, installation, state, reason)
        return Discovery(state, reason) if kept else None
    found = understood.found
    kept = await discoveries.keep_server(write, entry, installation, understood.facts, found.tools, heard=heard)
    return Discovery("ready", "", found.callable, found.rejected[:MAX_REPORTED]) if kept else None


def understand(answer: "Probe | Failure", secrets: Collection[str]) -> "Understood | Failure":
    """What to keep of an answer, or why there is nothing. Pure; a long list takes it a second and more."""
    answer = without_secrets(answer, secrets)
    if isinstance(answer, Failure):
        return answer
    if answer.fault:
        state: FailedState = "credential_refused" if answer.fault == "upstream_credential" else "unreachable"
        return Failure(state, _cut(answer.sentence or answer.fault, MAX_REASON))
    notes, telling = [*_on_capabilities(answer), *answer.notes], written_in_texts(secrets)
    offers = [kind for kind in OFFER_KINDS if kind in answer.capabilities]
    found = found_tools(answer.tools, answer.resources, answer.rejected, notes, telling, offers)
    return Understood(found, server_facts(answer, found, telling))


def _on_capabilities(probe: Probe) -> list[tuple[str, str]]:
    """What to know of a server that lists nothing to call."""
    if probe.tools or probe.resources or probe.rejected:
        return []
    if "tools" in probe.capabilities:
        return [("", "The server lists no tools.")]
    offers = ", ".join(_cut(name) for name in probe.capabilities[:10]) or "nothing"
    return [("", f"The server does not say that it has tools, and lists none; what it offers: {offers}.")]


def without_secrets(answer: "Probe | Failure", secrets: Collection[str]) -> "Probe | Failure":
    """A server may repeat the credential in what it says of itself or of a fault; it must not be read there.

    Names, texts and schemas of tools stay as they are: blanking words in them would break more than it hides.
    """
    if isinstance(answer, Failure):
        return answer
    telling = written_in_texts(secrets)
    said = {name: blanked(getattr(answer, name), telling) for name in _SAID}
    return msgspec.structs.replace(answer, **said)


def server_facts(probe: Probe, found: Found, secrets: Sequence[str] = ()) -> Mapping[str, Any]:
    """What the installation's row keeps of its server; texts from outside are freed of secrets, cut and escaped."""

    def kept(text: str) -> str:
        return _cut(blanked(text, secrets))

    return {
        "era": probe.era,
        "version": kept(probe.version),
        "server_name": kept(probe.server_name),
        "server_version": kept(probe.server_version),
        "capabilities": [kept(name) for name in probe.capabilities[:50]],
        "tools": found.callable,
        "rejected": [{"name": kept(name), "reason": kept(why)} for name, why in found.rejected[:MAX_REPORTED]],
        "notes": [{"name": kept(name), "note": kept(note)} for name, note in _first_notes(found)],
    }


def _first_notes(found: Found) -> list[tuple[str, str]]:
    """The notes that are kept, after how much there is beyond what is kept of them and of what was left out."""
    counted = ((found.rejected, "are left out than are named here"), (found.notes, "notes are there than these"))
    beyond = [("", f"{len(all_) - MAX_REPORTED} more {are}.") for all_, are in counted if len(all_) > MAX_REPORTED]
    return [*beyond, *found.notes[:MAX_REPORTED]]


def _cut(text: str, most: int = _MAX_TEXT) -> str:
    # Escapes, because jsonb takes no U+0000 and a person's terminal should take no control marks.
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:most])
