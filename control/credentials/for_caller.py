"""A token that a provider gives for one caller: exchanged, or got with an identity assertion.

The seam between what a call is given (`usable.py`) and whoever asks providers (`control/exchanges/`).
"""

from typing import Protocol

import msgspec

from control.credentials.calling import Calling
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.resolve import InstallationRefusal


class ForCaller(msgspec.Struct, frozen=True):
    """A token for one caller at one server. Kept in memory, and in copies of proxies, sealed; never told."""

    token: str
    expires_at: float
    """Unix seconds; 0: the provider did not say."""
    obtained_at: float
    """Unix seconds at which the provider gave it: newer ones are told from older ones by it."""

    def __repr__(self) -> str:
        return "ForCaller()"


class ForCallers(Protocol):
    """Gets tokens for callers, each once however many ask for it."""

    async def token(
        self,
        calling: Calling,
        entry: Entry,
        installation: Installation,
        *,
        newer_than: float = 0.0,
        within: float = 0.0,
    ) -> ForCaller | InstallationRefusal:
        """The caller's token, or why there is none, in a sentence with what to do. `newer_than`: the server has
        refused the one that was obtained then. Waits `within` so many seconds; 0: the usual time.
        """
