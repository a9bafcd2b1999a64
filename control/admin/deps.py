"""What the operations of the admin API stand on: built by `control/replica.py`, handed to each through `Asked`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from control.accounts.upstream_providers import UpstreamProviders
from control.changes.safeguards import Safeguards
from control.discovery.discover import Discoverer
from control.explain.explaining import Explaining
from control.identity.key_sets import KeySets
from control.publish.acknowledgements import NOBODY_ASKED, Acknowledged
from control.registry.identity_provider import IdentityProvider
from control.registry.server_state import Place
from control.servers.runtime import Runtime
from control.store.pool import Pool

LOG_READERS: Final = 20
"""Logs of servers that are read at once in one control."""
LOGS_OF_ONE: Final = 5
"""Of them, by one person."""


async def _asks_nobody(_upto: int, _within_s: float) -> Acknowledged:
    return NOBODY_ASKED


async def _tries_nothing(_provider: IdentityProvider) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything that an operation may use beside its request."""

    pool: Pool
    safeguards: Safeguards
    discoverer: Discoverer
    explaining: Explaining
    """Says what would become of calls."""
    key_sets: KeySets
    upstream: UpstreamProviders
    """Of servers: where people sign in for an installation."""
    redirect_uri: Callable[[str], str]
    """Where an identity provider of this slug sends browsers back to."""
    public_url: str
    """Of gateways, without a slash at the end."""
    issuer_url: str = ""
    """Of people's pages, where that is another; without a slash at the end."""
    run_token_sha256: str = ""
    """Digest of this run's own admin token; '' where there is none."""
    allowed_hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    """Names under which the admin listener answers."""
    records_days: int = 30
    """Days that records of calls are kept."""
    runtime: Runtime | None = None
    """Where the servers run that Archway runs itself; None: nowhere."""
    base_image: str = ""
    """The newest base image of such servers."""
    log_readers: list[str] = field(default_factory=list)
    """Who reads a server's log now: identifiers of people, one for each log."""
    acknowledged: Callable[[int, float], Awaitable[Acknowledged]] = _asks_nobody
    """Which workers have applied what the outbox held up to a number, at the latest after so many seconds."""

    exchange_trial: Callable[[IdentityProvider], Awaitable[str]] = _tries_nothing
    """Why an identity provider exchanges no tokens for us, in a sentence; '' where nothing is known to be wrong."""

    @property
    def place(self) -> Place | None:
        """Where servers run here; None for nowhere."""
        return None if self.runtime is None else self.runtime.place

    @property
    def pages_url(self) -> str:
        """Where people's pages are, without a slash at the end."""
        return self.issuer_url or self.public_url
