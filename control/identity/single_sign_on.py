"""Signing a person in with an identity provider: the way there, and what comes of the way back. Without our HTTP.

Called by `control/sign_in/oidc.py`, which sets cookies and answers the browser. In the order of the checks: the
answer belongs to what this browser began, has not come before, is the asked provider's; the code's tokens are for us
and for this sign-in; the person is somebody here, or may become it. Each refusal says why, and for an admin what to
do.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from control.changes import identities as changes
from control.changes.write import Write, changing, there
from control.identity.claims import person_of
from control.identity.discovery import NotApproved
from control.identity.key_sets import KeySets
from control.identity.matching import Unmatched, matched
from control.identity.round_trip import Begun, authorize_url, begin, code_of
from control.identity.said import id_claims, with_userinfo
from control.identity.said_claims import to_keep
from control.identity.token_endpoint import Client, ProviderTokens
from control.providers.asking import Asker, ProviderAway, ProviderRefused
from control.providers.browser_round import AGE_S, BadReturn
from control.registry.identity import SignInGiven
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals
from control.store import identities, identity_providers
from control.store.pool import Pool, StoreConflict, transaction
from core.jwt import TokenRefused
from core.sealing import SealBroken
from core.tokens import digest

log = logging.getLogger(__name__)
CALLBACK: Final = "/sign-in/oidc/{provider}/callback"
_ASK_ADMIN: Final = "An administrator of Archway can see why, and mend it."

Kind = Literal["away", "refused", "nobody"]
"""Whether it may work in a moment (503), or not as things stand (403)."""


class SignInRefused(Exception):
    """A sign-in that ended without anybody signed in. The text is for the person; `why` and `cure` for an admin."""

    def __init__(
        self, sentence: str, *, why: str, cure: str = "", kind: Kind = "refused", user_id: str | None = None
    ):
        super().__init__(sentence)
        self.why, self.cure, self.kind, self.user_id = why, cure, kind, user_id


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who proved at a provider who they are."""

    user_id: str
    provider: IdentityProvider
    return_to: str


class SingleSignOn:
    """Signs people in with the identity providers of the registry. `pages_url`: where people's pages are."""

    def __init__(
        self,
        pool: Pool,
        asker: Asker,
        key_sets: KeySets,
        seals: RowSeals,
        pages_url: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pool, self._asker, self._key_sets, self._seals = pool, asker, key_sets, seals
        self._pages_url, self._clock = pages_url, clock

    def redirect_uri(self, slug: str) -> str:
        """Where the provider sends browsers back to; registered there. Never made of a request."""
        return self._pages_url + CALLBACK.format(provider=slug)

    async def begin(self, slug: str, return_to: str) -> tuple[str, Begun]:
        """The address at the provider, and what the browser keeps until it is back. Raises SignInRefused."""
        provider = await self._provider(slug)
        try:
            endpoints = await self._key_sets.endpoints(provider)
        except (ProviderAway, NotApproved) as why:
            raise _away(provider, why) from None
        begun = begin(provider.id, return_to, self._clock())
        return authorize_url(provider, endpoints, self.redirect_uri(slug), begun), begun

    async def finish(self, slug: str, answer: Mapping[str, str], begun: Begun | None) -> SignedIn:
        """Who came back. `begun`: what this browser began, None for nothing that fits. Raises SignInRefused."""
        provider = await self._provider(slug)
        if begun is None:
            raise SignInRefused(
                "This sign-in was not begun in this browser, or has ended already: begin again.", why="state"
            )
        try:
            tokens, claims = await self._redeemed(provider, answer, begun)
        except BadReturn as bad:
            raise SignInRefused(str(bad), why=bad.why) from None
        except (ProviderAway, NotApproved, SealBroken) as why:
            raise _away(provider, why) from None
        except ProviderRefused as refused:
            cure = "Look at client_id, client_secret and the redirect URI that is registered at the provider."
            raise SignInRefused(
                f"{provider.name} did not accept what it had given. {_ASK_ADMIN}", why=str(refused), cure=cure
            ) from None
        except TokenRefused as refused:
            raise SignInRefused(
                f"What {provider.name} said of you could not be believed. {_ASK_ADMIN}",
                why=f"id_token: {refused}",
                cure="Look at the provider's issuer, client_id and algorithms, and at its clock.",
            ) from None  # fmt: skip
        return await self._signed_in(provider, tokens, claims, begun.return_to)

    async def _provider(self, slug: str) -> IdentityProvider:
        async with transaction(self._pool, readonly=True) as connection:
            provider = await identity_providers.by_slug(connection, slug)
        if provider is None:
            raise SignInRefused("There is no such way to sign in here.", why="unknown_provider")
        return provider

    async def _redeemed(
        self, provider: IdentityProvider, answer: Mapping[str, str], begun: Begun
    ) -> tuple[ProviderTokens, Mapping[str, Any]]:
        endpoints = await self._key_sets.endpoints(provider)
        code = code_of(answer, provider, endpoints, begun, self._clock())
        async with changing(self._pool, changes.acting_for(provider)) as write:
            fresh = await changes.use_state(write, digest(begun.state), 2 * AGE_S)
        if not fresh:
            raise BadReturn("used", "This sign-in has come back before: begin again.")
        secret = self._seals.open_client_secret(provider.id, provider.client_secret)
        client = Client(self._asker, provider, endpoints, secret)
        tokens = await client.redeem(code, self.redirect_uri(provider.slug), begun.verifier, self._clock())
        claims = await id_claims(self._key_sets, provider, tokens, self._clock(), nonce=begun.nonce)
        return tokens, await with_userinfo(client, provider, tokens, claims)

    async def _signed_in(
        self, provider: IdentityProvider, tokens: ProviderTokens, claims: Mapping[str, Any], return_to: str
    ) -> SignedIn:
        try:
            try:
                user_id, disabled = await self._written_down(provider, tokens, claims)
            except StoreConflict:  # another first sign-in of theirs was quicker
                user_id, disabled = await self._written_down(provider, tokens, claims)
        except Unmatched as nobody:
            raise SignInRefused(
                f"{provider.name} knows you, but Archway does not yet. Ask an administrator to let you in.",
                why=nobody.why, cure=str(nobody), kind="nobody",
            ) from None  # fmt: skip
        if disabled:
            raise SignInRefused(
                "Your account here is disabled. Ask an administrator of Archway.", why="disabled",
                cure="Enable the user: `archway users enable`.", user_id=user_id,
            )  # fmt: skip
        return SignedIn(user_id, provider, return_to)

    async def _written_down(
        self, provider: IdentityProvider, tokens: ProviderTokens, claims: Mapping[str, Any]
    ) -> tuple[str, bool]:
        """The person's user, and whether they are disabled; what the provider gave is kept, sealed."""
        person = person_of(provider, claims, complete=True)
        async with changing(self._pool, changes.acting_for(provider)) as write:
            identity = await matched(write, provider, person)
            if await _is_shut_out(write, provider, identity.user_id):
                return identity.user_id, True
            given = SignInGiven(
                self._seals.provider_tokens(identity.id, tokens.packed()),
                tokens.ends_for_good,
                self._seals.provider_claims(identity.id, to_keep(provider, claims).packed()),
            )
            identity = await changes.sign_in(write, provider, identity, person, given)
            _ = await changes.apply_claims(write, provider, identity, person)
        return identity.user_id, False


async def _is_shut_out(write: Write, provider: IdentityProvider, user_id: str) -> bool:
    """Whether somebody else than this provider's silence shut the user out."""
    standing = there(await identities.standing(write.connection, user_id, provider.id))
    return standing.disabled and standing.shut_out_by != provider.id


def _away(provider: IdentityProvider, why: Exception) -> SignInRefused:
    told = {"provider": provider.slug, "why": str(why)}
    log.warning("an identity provider cannot be used for a sign-in", extra=told)
    return SignInRefused(
        f"{provider.name} cannot be used just now; try again in a moment. {_ASK_ADMIN}", why=str(why),
        cure=f"Run `archway identity-providers test {provider.slug}`.", kind="away",
    )  # fmt: skip
