"""The provider of an entry's server as we deal with it: where it is, and the client that we are there.

Called when somebody signs in, when tokens are deposited, and when an admin looks at what was found. Registers Archway
where the provider lets it, and keeps that client for the entry. Leaves out people: `sign_ins.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from control.accounts.asked_server import challenge_of
from control.accounts.kept_clients import own_secret, registered_client
from control.accounts.our_client import of_entry
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.challenge import Challenge
from control.credentials.upstream_oauth.client import UpstreamClient
from control.credentials.upstream_oauth.discovery import Discovered, discover
from control.credentials.upstream_oauth.registration import (
    OurClient,
    document_client,
    how_to_register,
    own_client,
    register,
)
from control.credentials.upstream_oauth.unfit import CannotSignIn
from control.providers.asking import Asker
from control.registry.account import place_of
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry
from control.registry.row_seals import RowSeals
from control.registry.server_url import server_place, server_url
from control.registry.upstream_client import RegisteredClient
from control.store import upstream_clients
from control.store.pool import Pool, transaction
from core.identifiers import new_id
from core.sealing import SealBroken


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProvider:
    """A provider that was asked, and what the server's own refusal asks for."""

    discovered: Discovered
    challenge: Challenge | None

    @property
    def server(self) -> AuthorizationServer:
        """The provider's authorization server."""
        return self.discovered.server


@dataclass(frozen=True, slots=True)
class KnownClient:
    """The client that we are at a provider."""

    client: UpstreamClient
    row: str | None
    """Of the client that Archway registered itself; None for any other."""


class UpstreamProviders:
    """Finds providers and makes Archway known to them; it needs the database, who asks, and what opens secrets."""

    def __init__(
        self,
        pool: Pool,
        asker: Asker,
        seals: RowSeals,
        ours: OurClient,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.asker, self._ours = asker, ours
        self._pool, self._seals, self._clock = pool, seals, clock

    def ours_at(self, entry: Entry) -> OurClient:
        """What Archway is at the provider of this entry: no other entry has its callback or its document."""
        return of_entry(self._ours, entry.slug)

    def now(self) -> float:
        """The time, in Unix seconds."""
        return self._clock().timestamp()

    async def found(self, server_url: str, settings: OAuthCredential) -> FoundProvider:
        """The provider of a server; '' is one that we run, which is not asked. Raises ProviderAway, and CannotSignIn
        for one that must not be used.
        """
        challenge = await challenge_of(self.asker, server_url) if server_url else None
        return FoundProvider(
            discovered=await discover(self.asker, server_url, settings, challenge), challenge=challenge
        )

    def url_for(self, entry: Entry, answers: Mapping[str, Any]) -> str:
        """The URL of the server with the answers of an installation; BrokenRule for one that does not fit."""
        return server_url(entry, answers, self.asker.policy)

    def place_for(self, entry: Entry, answers: Mapping[str, Any]) -> str:
        """Where an account may go that comes now, for an installation with these answers; BrokenRule likewise."""
        return place_of(entry, server_place(entry, answers, self.asker.policy))

    async def client_at(
        self, entry: Entry, settings: OAuthCredential, server: AuthorizationServer, scopes: Sequence[str]
    ) -> KnownClient:
        """The client that we are there, registered now where there is none yet. Raises ProviderAway, CannotSignIn."""
        ours = self.ours_at(entry)
        match how_to_register(server, settings, ours):
            case "own":
                return KnownClient(own_client(server, settings, self._own_secret(entry, settings)), None)
            case "document":
                return KnownClient(document_client(server, ours), None)
            case "dynamic":
                return await self._registered(entry, server, ours, scopes)

    async def _registered(
        self, entry: Entry, server: AuthorizationServer, ours: OurClient, scopes: Sequence[str]
    ) -> KnownClient:
        async with transaction(self._pool, readonly=True) as connection:
            kept = await upstream_clients.living(connection, entry.id, server.issuer, ours.redirect_uri)
        if kept is not None:
            with suppress(SealBroken):  # sealed with a key that is gone: another client takes its place
                return KnownClient(registered_client(self._seals, kept), kept.id)
        # Some providers hold a client to the scopes that it named: it may need more of theirs later.
        named = tuple(dict.fromkeys((*scopes, *server.scopes_supported)))
        made = await register(self.asker, server, ours, named)
        row = _row_of(self._seals, entry, made, ours.redirect_uri)
        async with transaction(self._pool) as connection:
            stays = await upstream_clients.keep(connection, row, kept.id if kept else None)
        return KnownClient(made if stays.id == row.id else registered_client(self._seals, stays), stays.id)

    def _own_secret(self, entry: Entry, settings: OAuthCredential) -> str:
        try:
            return own_secret(self._seals, entry, settings)
        except SealBroken:
            raise CannotSignIn(
                "the secret of its client cannot be read any more: an admin has to give it again, with "
                f"`archway entries update {entry.slug} --client-secret`"
            ) from None


def _row_of(seals: RowSeals, entry: Entry, made: UpstreamClient, redirect_uri: str) -> RegisteredClient:
    row_id, ends = new_id(), made.secret_expires_at
    return RegisteredClient(
        id=row_id,
        entry_id=entry.id,
        issuer=made.issuer,
        redirect_uri=redirect_uri,
        client_id=made.client_id,
        client_secret=seals.upstream_client_secret(row_id, made.issuer, made.client_secret),
        client_authentication=made.authentication,
        secret_expires_at=datetime.fromtimestamp(ends, UTC) if ends else None,
    )
