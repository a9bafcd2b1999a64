"""Who bears an access token of our own authorization server, as things are now; and our keys, for proxies.

One of the judges of `signed_callers.py`. The token itself is checked again, since a proxy's word is not taken for it;
then its grant says whether the person, the client and the gateway still go together. A token that was made for a
gateway under a slug which it has no more is not accepted: its client refreshes, and gets one under the new.
"""

import time
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from control.registry.oauth_client import principal_of
from control.registry.oauth_grant import Grant, Refusal, refusal_of
from control.registry.resources import canonical_resource
from control.store import oauth_grants
from control.store.pool import Connection, Pool, transaction
from core.identifiers import is_id
from core.jwt import AccessToken, AccessTokenSigner, TokenRefused, signed_by
from core.key_sets import FORMAT, HARD_S, KeySet, KeySetAnswer, KeySetQuestion, PublicKey, sign_key_set
from core.resolve import CallerVerdict, JwtProof, Principal
from core.signing import Signer

_WORDS: Final[dict[Refusal, Literal["", "revoked", "expired", "disabled"]]] = {
    "": "",
    "revoked": "revoked",
    "expired": "expired",
    "disabled": "disabled",
    "client_gone": "revoked",
    "client_not_allowed": "revoked",
    "not_vouched_for": "revoked",
}
"""Refusals of grants in the words that proxies know."""


class OwnCallers:
    """Judges access tokens of our own; nobody else's."""

    def __init__(self, pool: Pool, access_tokens: AccessTokenSigner, signer: Signer, public_url: str) -> None:
        self._pool, self._access_tokens, self._signer, self._public_url = pool, access_tokens, signer, public_url

    def judges(self, issuer: str) -> bool:
        """Whether tokens that name this issuer are ours."""
        return issuer == self._access_tokens.issuer

    async def verdict(self, proof: JwtProof) -> CallerVerdict:
        """Who bears the token; raises StoreUnavailable."""
        token = self._read(proof)
        if isinstance(token, CallerVerdict):
            return token
        async with transaction(self._pool) as connection:
            grant = await oauth_grants.one(connection, token.grant_id)
            verdict = await self._judged(connection, proof, token, grant)
            if grant is not None and verdict.principal is not None:
                await oauth_grants.note_use(connection, grant.id)
        return verdict

    async def accepts(self, connection: Connection, proof: JwtProof, gateway_id: str) -> bool:
        """Whether a token that has a verdict was made for this gateway, as that is now."""
        token = self._read(proof)
        if isinstance(token, CallerVerdict):
            return False
        grant = await oauth_grants.one(connection, token.grant_id)
        return grant is not None and grant.gateway_id == gateway_id

    async def answer(self, question: KeySetQuestion) -> KeySetAnswer:
        """Our own key set, signed: known as long as somebody can be asked, so its age is the usual one."""
        if not self.judges(question.issuer):
            return KeySetAnswer()
        now = time.time()
        keys = [msgspec.convert(key, PublicKey) for key in self._access_tokens.public_keys]
        key_set = KeySet(
            format=FORMAT,
            issuer=self._access_tokens.issuer,
            kind="own",
            keys=keys,
            algorithms=["EdDSA"],
            revision=1,
            fetched_at=now,
            good_until=now + HARD_S,
        )
        return KeySetAnswer(sign_key_set(key_set, self._signer))

    def _read(self, proof: JwtProof) -> AccessToken | CallerVerdict:
        try:
            token = signed_by(self._access_tokens, proof.jwt, time.time())
        except TokenRefused as refused:
            why: Literal["expired", "unknown"] = "expired" if refused.why == "expired" else "unknown"
            return CallerVerdict(proof.digest, refusal=why, auth="oauth")
        if not is_id(token.grant_id):
            return CallerVerdict(proof.digest, refusal="unknown", auth="oauth")
        return token

    async def _judged(
        self, connection: Connection, proof: JwtProof, token: AccessToken, grant: Grant | None
    ) -> CallerVerdict:
        if grant is None or not self._fits(token, grant):
            return CallerVerdict(proof.digest, refusal="revoked" if grant is None else "unknown", auth="oauth")
        refusal = _WORDS[refusal_of(grant)]
        if refusal:
            return CallerVerdict(proof.digest, credential_id=grant.id, refusal=refusal, auth="oauth")
        return CallerVerdict(
            proof.digest,
            _principal(grant, await oauth_grants.teams_of(connection, grant.id)),
            grant.id,
            float(token.expires),
            auth="oauth",
            client=grant.client_id,
            scopes=frozenset(token.scope.split()),
            by_assertion=grant.by_assertion,
        )

    def _fits(self, token: AccessToken, grant: Grant) -> bool:
        """Whether the token says what its grant does; a gateway has another name after its slug was changed."""
        subject = f"user:{grant.user_id}" if grant.user_id is not None else f"client:{grant.client_pk}"
        audience = canonical_resource(self._public_url, grant.gateway_slug)
        return (token.subject, token.client_id, token.audience) == (subject, grant.client_id, audience)


def _principal(grant: Grant, teams: Sequence[str]) -> Principal:
    if grant.user_id is None:
        return principal_of(grant.client_pk, grant.client_name, teams[0] if teams else None)
    return Principal("user", grant.user_id, grant.user_name, frozenset(teams))
