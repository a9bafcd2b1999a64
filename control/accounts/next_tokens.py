"""A provider asked for the next tokens of an account, as the client that we are there.

Called by `one_renewal.py` under the account's lease. A person's account is renewed with its refresh token; a client
of the installation gets another token for itself. Nothing is sent to an endpoint whose host is neither the issuer's
nor approved now, whatever was so when the account came. Leaves out what is made of the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Final

from control.accounts.kept_clients import client_of_account
from control.accounts.lease import Leased
from control.accounts.times import next_refresh
from control.credentials.places import account_place, is_for
from control.credentials.upstream_oauth.account import AccountName, id_claims
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.client import Method, TokenPlace, UpstreamClient, method_named
from control.credentials.upstream_oauth.discovery import discover
from control.credentials.upstream_oauth.token_request import (
    Away,
    Granted,
    Refused,
    client_credentials,
    refresh,
)
from control.credentials.upstream_oauth.unfit import CannotSignIn
from control.providers.asking import Asker, ProviderAway, host_of
from control.registry.account import Account, AccountTokens, NewAccount
from control.registry.credential import CLIENT_ID, CREDENTIAL, OMIT, ClientCredentials, OAuthCredential
from control.registry.entry import Entry
from control.registry.origin import origin_of
from control.registry.row_seals import RowSeals
from control.registry.token_at_start import renewed_ahead
from core.client_keys import ClientKey, KeyRefused

_GIVEN: Final = tuple(one.name for one in fields(NewAccount))
_USUAL: Final[Method] = "client_secret_basic"
_OF_CLIENT: Final = frozenset({"invalid_client", "unauthorized_client", "client_key"})
"""What is said of a client that a provider does not know any more, or whose secret or key is wrong."""


@dataclass(frozen=True, slots=True)
class Next:
    """An account with its next tokens, to be kept before anything else is done."""

    account: NewAccount
    is_anothers: bool = False
    """The provider answered for another person: these tokens must not be used."""


Answered = Next | Refused | Away


class NextTokens:
    """Asks providers; it needs who asks, and what opens secrets."""

    def __init__(
        self,
        asker: Asker,
        seals: RowSeals,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        luck: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._asker, self._seals, self.clock, self.luck = asker, seals, clock, luck

    async def asked(self, leased: Leased) -> Answered:
        """The provider's answer, whatever it is. Raises SealBroken where a secret cannot be opened."""
        credential = leased.entry.credential
        if isinstance(credential, ClientCredentials):
            return await self._for_client(leased, credential)
        assert isinstance(credential, OAuthCredential)  # else there is no lease
        assert leased.account is not None
        return await self._for_person(leased, credential, leased.account)

    async def _for_person(self, leased: Leased, credential: OAuthCredential, account: Account) -> Answered:
        if not may_be_asked(account.token_endpoint, account.issuer, credential):
            return _not_approved(account.token_endpoint, account.issuer)
        client = client_of_account(self._seals, leased.entry, credential, account, leased.registered)
        place = TokenPlace(endpoint=account.token_endpoint, client=client)
        now = self.clock()
        answer = await refresh(self._asker, place, leased.tokens.refresh_token, account.resource, now.timestamp())
        if not isinstance(answer, Granted):
            return answer
        before = {name: getattr(account, name) for name in _GIVEN}
        scopes = account.scopes if answer.scopes is None else answer.scopes
        renewed = NewAccount(**{**before, **self._life(leased.entry, answer, now), "scopes": scopes})
        tokens = AccountTokens(answer.access_token, answer.refresh_token or leased.tokens.refresh_token)
        return Next(self._sealed(leased, renewed, tokens), _is_anothers(account, answer, now))

    async def _for_client(self, leased: Leased, credential: ClientCredentials) -> Answered:
        secret = self._seals.open_secret_values(leased.installation.id, leased.installation.secret_values)
        method = method_named(credential.client_authentication or _USUAL)
        try:
            key = ClientKey.from_pem(secret.get(CREDENTIAL, "")) if method == "private_key_jwt" else None
            server, resource, scopes = await self._server(leased, credential)
        except KeyRefused as refused:
            return Refused(error="client_key", sentence=f"the client's key {refused}")
        except CannotSignIn as unfit:
            return Refused(error="unfit", sentence=str(unfit))
        except ProviderAway as away:
            return Away(why=str(away), retry_after=away.retry_after, answered=True)
        client_id = str(leased.installation.plain_values.get(CLIENT_ID, ""))
        client = UpstreamClient(
            issuer=server.issuer,
            client_id=client_id,
            client_secret="" if key else secret.get(CREDENTIAL, ""),
            authentication=method,
        )
        place = TokenPlace(
            endpoint=server.token_endpoint, client=client, key=key, algorithms=server.signing_algorithms
        )
        now = self.clock()
        answer = await client_credentials(self._asker, place, resource, scopes, now.timestamp())
        if not isinstance(answer, Granted):
            return answer
        life = self._life(leased.entry, answer, now)
        made = NewAccount(
            place=account_place(leased.entry, leased.installation),
            issuer=server.issuer,
            token_endpoint=server.token_endpoint,
            revocation_endpoint=server.revocation_endpoint,
            resource=resource,
            client_id=client_id,
            client_authentication=method,
            tokens=b"",
            scopes=scopes if answer.scopes is None else answer.scopes,
            account_name=client_id,
            expires_at=life["expires_at"],
            refresh_at=life["refresh_at"],
        )
        return Next(self._sealed(leased, made, AccountTokens(answer.access_token)))

    async def _server(
        self, leased: Leased, credential: ClientCredentials
    ) -> tuple[AuthorizationServer, str, tuple[str, ...]]:
        """Where a client's token comes from, what for, and with which scopes. While the metadata cannot be asked, as
        it was for the token before. Raises ProviderAway, CannotSignIn.
        """
        try:
            found = await discover(self._asker, leased.url, credential)
        except ProviderAway:
            account = leased.account
            if account is None or not is_for(account, leased.entry, leased.installation):
                raise
            if not may_be_asked(account.token_endpoint, account.issuer, credential):
                raise
            server = AuthorizationServer(
                issuer=account.issuer,
                token_endpoint=account.token_endpoint,
                revocation_endpoint=account.revocation_endpoint,
            )
            return server, account.resource, credential.scopes or account.scopes
        wanted = credential.scopes or found.scopes_supported or ()
        return found.server, "" if credential.resource == OMIT else found.resource, wanted

    def _life(self, entry: Entry, answer: Granted, now: datetime) -> dict[str, datetime | None]:
        ends = datetime.fromtimestamp(answer.expires_at, UTC) if answer.expires_at else None
        return {"expires_at": ends, "refresh_at": next_refresh(ends, now, self.luck(), renewed_ahead(entry))}

    def _sealed(self, leased: Leased, account: NewAccount, tokens: AccountTokens) -> NewAccount:
        sealed = self._seals.account_tokens(leased.installation.id, account, tokens)
        return NewAccount(**{**{name: getattr(account, name) for name in _GIVEN}, "tokens": sealed})


def may_be_asked(endpoint: str, issuer: str, credential: OAuthCredential | ClientCredentials) -> bool:
    """Whether anything may be sent to this endpoint: it is at the issuer's host, an admin approved its host, or an
    admin typed it.
    """
    approved = {origin_of(issuer), *credential.approved_hosts}
    return origin_of(endpoint) in approved or endpoint == credential.token_endpoint


def is_final(refused: Refused, leased: Leased) -> bool:
    """Whether asking again will never help: what the person or the installation gave is good no more. A no to a
    client that an admin looks after says nothing of the people.
    """
    if refused.is_invalid_grant:
        return True
    of_client = isinstance(leased.entry.credential, ClientCredentials)
    is_registered = leased.account is not None and leased.account.upstream_client_id is not None
    return refused.error in _OF_CLIENT and (of_client or is_registered)


def _is_anothers(account: Account, answer: Granted, now: datetime) -> bool:
    """Whether the ID token that came along is certainly of another person (OpenID Connect Core 12.2)."""
    server = AuthorizationServer(issuer=account.issuer, token_endpoint=account.token_endpoint)
    subject = id_claims(answer.id_token, server, account.client_id, now.timestamp()).get("sub")
    return isinstance(subject, str) and AccountName("", subject).is_another(account)


def _not_approved(endpoint: str, issuer: str) -> Refused:
    sentence = f"{host_of(endpoint)} is not the host of {issuer}, and no admin approves it any more (approved_hosts)"
    return Refused(error="unfit", sentence=sentence)
