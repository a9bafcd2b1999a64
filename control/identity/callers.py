"""Who bears an identity provider's own token at a gateway: checked again, and said who it is here, now.

Called by `control/internal/questions.py` for tokens whose issuer is a provider of the registry. The proxy has checked
the token with keys that it holds, and that it is for its gateway; here it is checked once more with the keys as they
are now, and said whose it is: a job's that calls as a service account (`jobs.py`), else a person's, who is looked up,
found or made, else somebody's without an account, where the provider admits them (`without_account.py`). A token of a
sign-in is none for calls. Leaves out what the caller may do at the gateway.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from control.changes import identities as changes
from control.changes.write import changing
from control.identity.claims import client_and_scopes, person_of
from control.identity.jobs import fits_none, rule_for, verdict_on_job
from control.identity.key_sets import KeySets, key_set_of, provider_of
from control.identity.matching import Unmatched, recognised, signs_in
from control.identity.unchecked import audience_of, key_named
from control.identity.without_account import verdict_without_account
from control.registry.identity import Identity, ProvidedPerson
from control.registry.identity_provider import IdentityProvider
from control.store import identities, identity_providers
from control.store.identities import Standing
from control.store.pool import Connection, Pool, StoreConflict, transaction
from core.clocks import CURE
from core.jwt import TokenRefused, VerifiedClaims, named_issuer, verify
from core.key_sets import KeySet, KeySetAnswer, KeySetQuestion
from core.resolve import CallerVerdict, JwtProof, Principal

log = logging.getLogger(__name__)

_OF_A_SIGN_IN: Final = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
"""Claims that only an `id_token` has: it tells a client who signed in, and opens nothing (RFC 9068 section 5)."""
_KINDS_OF_OTHERS: Final = frozenset({"id", "refresh", "offline", "logout"})
"""Keycloak says in a claim `typ` what a token is."""
_CLOCK: Final = f"its clock is more than a minute ahead of ours, or ours behind: {CURE}"


@dataclass(frozen=True, slots=True)
class Checked:
    """A token that holds: the provider's word, and for which gateways."""

    provider: IdentityProvider
    claims: VerifiedClaims
    audience: str


class ProviderCallers:
    """Says who bears the own tokens of identity providers, and which gateways take them."""

    def __init__(self, pool: Pool, key_sets: KeySets, *, clock: Callable[[], float] = time.time) -> None:
        self._pool, self._key_sets, self._clock = pool, key_sets, clock

    def judges(self, issuer: str) -> bool:
        """Whatever our own authorization server did not make; an issuer that is not in the registry is nobody's."""
        return bool(issuer)

    async def answer(self, question: KeySetQuestion) -> KeySetAnswer:
        """The provider's signed key set, for a proxy."""
        return await self._key_sets.answer(question)

    async def verdict(self, proof: JwtProof) -> CallerVerdict:
        """Who bears this token, or why nobody does; raises StoreUnavailable."""
        checked = await self._checked(proof.jwt)
        if checked is None:
            return CallerVerdict(proof.digest, refusal="unknown", auth="jwt")
        rule = rule_for(checked.provider.service_rules, checked.claims)
        if rule is not None:
            async with transaction(self._pool) as connection:
                return await verdict_on_job(connection, proof.digest, checked.claims, rule)
        person = person_of(checked.provider, checked.claims, complete=True)
        try:
            identity, standing = await self._known(checked.provider, person)
        except Unmatched as nobody:
            verdict = await self._without_account(checked, person, proof.digest)
            if verdict is not None:
                return verdict
            told = {"provider": checked.provider.slug, "why": nobody.why, "cure": str(nobody)}
            log.info("a token of an identity provider belongs to nobody here", extra=told)
            return fits_none(checked.provider, checked.claims, proof.digest)
        return _verdict(proof, checked.claims, identity, standing)

    async def accepts(self, connection: Connection, proof: JwtProof, gateway_id: str) -> bool:
        """Whether the gateway takes this token, which has a verdict: of this provider, for this audience."""
        try:
            issuer, audience = named_issuer(proof.jwt), audience_of(proof.jwt)
        except TokenRefused:
            return False
        named = await identity_providers.of_gateway(connection, gateway_id)
        return named is not None and bool(audience) and (named.issuer, named.audience) == (issuer, audience)

    async def _checked(self, token: str) -> Checked | None:
        """The token, checked for whichever gateway takes it; None for one that holds nowhere."""
        try:
            issuer = named_issuer(token)
            async with transaction(self._pool, readonly=True) as connection:
                found = await provider_of(connection, issuer)
                if found is None:
                    return None
                provider, state = found
                audiences = await identity_providers.audiences_of(connection, provider.id)
            held = key_set_of(provider, state, self._clock())
            claims, audience = await self._verified(token, issuer, held, audiences)
        except TokenRefused as refused:
            told = {"why": refused.why} | ({"cure": _CLOCK} if refused.why == "early" else {})
            log.info("a token of an identity provider does not hold", extra=told)
            return None
        return Checked(provider, claims, audience)

    async def _verified(
        self, token: str, issuer: str, key_set: KeySet | None, audiences: set[str]
    ) -> tuple[VerifiedClaims, str]:
        """The claims of an access token, with keys that are asked for once more where its own is not among them."""
        try:
            return _verify(token, key_set, audiences, self._clock())
        except TokenRefused as refused:
            if refused.why != "unknown_key":
                raise
        newer = await self._key_sets.key_set(issuer, key_named(token))
        return _verify(token, newer, audiences, self._clock())

    async def _known(self, provider: IdentityProvider, person: ProvidedPerson) -> tuple[Identity, Standing]:
        """Who that is, with what the claims give them; raises Unmatched."""
        async with transaction(self._pool, readonly=True) as connection:
            identity = await identities.by_subject(connection, person.issuer, person.subject)
            if identity is not None:
                standing = await identities.standing(connection, identity.user_id, provider.id)
                if standing is not None and (signs_in(identity) or not changes.differs(standing, identity, person)):
                    return identity, standing
        try:
            return await self._written_down(provider, person)
        except StoreConflict:  # another first call of theirs was quicker
            return await self._written_down(provider, person)

    async def _without_account(self, checked: Checked, person: ProvidedPerson, digest: str) -> CallerVerdict | None:
        if not checked.provider.admits_external:
            return None
        async with changing(self._pool, changes.acting_for(checked.provider)) as write:
            return await verdict_without_account(write, checked.provider, person, digest, checked.claims)

    async def _written_down(self, provider: IdentityProvider, person: ProvidedPerson) -> tuple[Identity, Standing]:
        async with changing(self._pool, changes.acting_for(provider)) as write:
            return await recognised(write, provider, person)


def _verify(token: str, key_set: KeySet | None, audiences: set[str], now: float) -> tuple[VerifiedClaims, str]:
    if key_set is None:
        raise TokenRefused("unknown_key", "No keys of this issuer are known.")
    said = audience_of(token)
    audience = said if said in audiences else ""
    claims = verify(token, key_set, audience, now)
    if _OF_A_SIGN_IN & set(claims) or str(claims.get("typ", "")).lower() in _KINDS_OF_OTHERS:
        raise TokenRefused("type", "The token is of a sign-in, and not for calls.")
    return claims, audience


def _verdict(proof: JwtProof, claims: VerifiedClaims, identity: Identity, standing: Standing) -> CallerVerdict:
    if standing.disabled:
        return CallerVerdict(proof.digest, credential_id=identity.id, refusal="disabled", auth="jwt")
    client, scopes = client_and_scopes(claims)
    return CallerVerdict(
        proof.digest,
        Principal("user", identity.user_id, standing.name, frozenset(standing.teams)),
        identity.id,
        float(claims["exp"]),
        auth="jwt",
        client=client,
        scopes=scopes,
    )
