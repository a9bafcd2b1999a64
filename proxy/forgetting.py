"""What a worker forgets when control announces a change: one row for each kind of change.

The reader of the change stream (`proxy/gateways/changes.py`) calls it with each event, and with a doubt where news
may have been missed. What each part then does with what it holds is in that part.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from core.changes import Change, Kind
from proxy.gateways.holder import Gateways
from proxy.resolve.caller_verdicts import Authority
from proxy.resolve.installations import Installations
from proxy.upstream.health import Health
from proxy.upstream.sessions import UpstreamSessions

Forget = Callable[[Change], Awaitable[None]]


class Forgetting:
    """Applies changes to the parts of one worker that remember something."""

    def __init__(
        self,
        authority: Authority,
        gateways: Gateways,
        installations: Installations,
        sessions: UpstreamSessions,
        health: Health,
    ) -> None:
        self._authority, self._gateways, self._installations = authority, gateways, installations
        self._sessions, self._health = sessions, health
        self.by_kind: Final[Mapping[Kind, Forget]] = {
            "gateway": self._gateway,
            "token": lambda change: authority.forget(change.name),
            "user": self._principal,
            "team": self._principal,
            "installation": self._installation,
            "entry": lambda change: installations.forget_entry(change.name),
        }
        """The kinds that concern a worker. A session's end is told by the mailbox."""

    async def apply(self, change: Change) -> None:
        """Forget what one announced change makes untrue."""
        forget = self.by_kind.get(change.kind)
        if forget is not None:
            await forget(change)

    def doubt(self) -> None:
        """News may have been missed: ask again before anything remembered is used."""
        self._authority.doubt()
        self._installations.doubt()

    async def _gateway(self, change: Change) -> None:
        if change.revision < 0:
            self._gateways.forget(change.name)
        else:
            await self._gateways.refresh(change.name, change.revision)
        await self._installations.forget_gateway(change.name)

    async def _principal(self, change: Change) -> None:
        await self._authority.forget_principal(change.kind, change.name)
        await self._installations.forget_principal(f"{change.kind}:{change.name}")

    async def _installation(self, change: Change) -> None:
        await self._installations.forget_installation(change.name)
        self._sessions.forget_installation(change.name)
        self._health.forget_installation(change.name)
