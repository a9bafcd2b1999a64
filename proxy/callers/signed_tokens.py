"""Signed tokens of callers: access tokens that Archway made, and an identity provider's own, checked without asking.

The stage `authenticate` asks here, before it asks control who bears the token now. All that can be known without
asking is checked first: form, algorithm, key, signature, issuer, times (`core/jwt.py`), and that it is for this very
gateway. Only what passed is shown to control, so that a flood of made-up tokens costs it no question: an issuer that
no gateway names is refused from memory, keys are asked for at most once a minute (`proxy/resolve/key_sets.py`), and
what is not known of a gateway to a stranger is asked for within a budget.

What was verified is remembered by the SHA-256 of the whole token, never beyond its end, and says nothing of gateways:
which one it is for is asked at each use.
"""

import time
from typing import Final, Protocol

from core.jwt import TokenRefused, verify
from core.key_sets import KeySet
from core.resolve import JwtProof
from proxy.caches.standing import Standing
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.resources import audience_of
from proxy.limits.budget import Budget
from proxy.refusals import Refusal
from proxy.resolve.key_sets import IssuerUnknown, KeySets
from proxy.verified_token import Claimed, Verified, look

_SIZE: Final = 50_000
"""As many as verdicts."""
_SHARE_OF_STRANGERS: Final = 0.25
"""Of the budget for unknown gateways: what tokens may ask for of whose issuer nothing is known here yet. The rest is
for callers whom somebody vouches for."""

_HINTS: Final[dict[str, str]] = {
    "early": " Compare the clock of this machine with that of its issuer.",
    "expired": " If it is new, compare the clock of this machine with that of its issuer.",
}
"""What an operator should look at."""


class FindsGateways(Protocol):
    """A part that has the gateways (`proxy/gateways/holder.py`)."""

    def peek(self, name: str) -> CompiledGateway | None:
        """The gateway by slug or identifier, if it is here; that is no use of it."""

    def is_absent(self, name: str) -> bool:
        """Whether it is certain, without asking anybody, that there is no such gateway."""

    async def load(self, name: str, address: str) -> CompiledGateway:
        """The gateway, fetched. Raises Refusal."""


class SignedTokens:
    """Checks signed tokens for one worker, and remembers what was found of them."""

    def __init__(
        self, key_sets: KeySets, gateways: FindsGateways, *, issuer: str, base_url: str, per_second: float
    ) -> None:
        self._key_sets, self._gateways = key_sets, gateways
        self._issuer, self._base_url = issuer, base_url
        self._budget = Budget(per_second * _SHARE_OF_STRANGERS)
        self._verified: Standing[str, Verified] = Standing(_SIZE)
        self.checked = self.refused = 0
        """Tokens whose signature was good, and those that were refused for whatever reason, added up."""

    def known(self, digest: str, gateway_name: str) -> Verified | None:
        """What was verified of a token before, if it holds for this gateway now. No waiting: the warm path."""
        verified, gateway = self._verified.peek(digest), self._gateways.peek(gateway_name)
        if verified is None or gateway is None or verified.expires <= time.time():
            return None
        key_set = self._key_sets.young(verified.issuer)
        if key_set is None or key_set.by_kid.get(verified.key.kid) != verified.key:
            return None
        if not self.is_for(verified, gateway):
            return None
        self._verified.touch(digest)
        return verified

    async def verified(self, proof: JwtProof, gateway_name: str, address: str) -> Verified:
        """What is verified of a token, if it is one for this gateway.

        Raises Refusal `not_authenticated`, or `cannot_authenticate` where what is needed for it cannot be had.
        SourceUnreachable where nobody can tell the issuer's keys.
        """
        claimed = look(proof.jwt)
        if claimed is None:
            raise self._no("form")
        gateway = await self._named(gateway_name, address, claimed)
        key_set = await self._keys(claimed)
        try:
            claims = verify(proof.jwt, key_set, claimed.audience, time.time())
        except TokenRefused as refused:
            self._verified.pop(proof.digest)
            raise self._no(f"{refused.why}: {refused}{_HINTS.get(refused.why, '')}") from None
        key = key_set.key_for(claimed.kid, claimed.algorithm)
        assert key is not None  # it was verified with it
        verified = Verified(claims, key, "oauth" if key_set.kind == "own" else "jwt")
        self.checked += 1
        # Somebody of ours has signed it, so whoever bears it is no stranger: what is unknown may be asked for.
        if not self.is_for(verified, gateway or await self._loaded(gateway_name, address)):
            is_for = verified.audience if verified.way == "jwt" else ""
            raise self._no("audience: The token was made for another resource.", of_token=is_for)
        return self._remember(proof.digest, verified)

    def is_for(self, verified: Verified, gateway: CompiledGateway) -> bool:
        """Whether a token is for this gateway, and of an issuer that it takes tokens of."""
        return verified.audience == self._audience(verified.issuer, gateway) != ""

    def forget_issuer(self, issuer: str) -> None:
        """Forget the tokens of an issuer whose change was announced: each is verified again."""
        for digest, verified in self._verified.items():
            if verified.issuer == issuer:
                self._verified.pop(digest)

    def __len__(self) -> int:
        return len(self._verified)

    async def _named(self, name: str, address: str, claimed: Claimed) -> CompiledGateway | None:
        """The gateway if it is here, or must be: where the token's issuer is known to no set of keys that is held,
        only the gateway can say whether it is one. Refuses an issuer that the gateway does not name.
        """
        gateway = self._gateways.peek(name)
        if gateway is None and not self._key_sets.holds(claimed.issuer) and claimed.issuer != self._issuer:
            if self._gateways.is_absent(name):
                raise self._no("issuer: no gateway here names it")
            if not self._budget.take(address):
                raise Refusal("too_many_unknown", retry_after=1)
            gateway = await self._loaded(name, address)
        if gateway is not None and not self._audience(claimed.issuer, gateway):
            raise self._no("issuer: the gateway does not name it")
        return gateway

    async def _loaded(self, name: str, address: str) -> CompiledGateway:
        """The gateway. To a stranger, one that does not exist is the same as one that takes no such token."""
        try:
            return await self._gateways.load(name, address)
        except Refusal as refusal:
            if refusal.reason == "gateway_unknown":
                raise self._no("there is no such gateway") from None
            if refusal.reason == "gateway_unavailable":
                raise Refusal("cannot_authenticate") from None
            raise

    async def _keys(self, claimed: Claimed) -> KeySet:
        try:
            key_set = await self._key_sets.of(claimed.issuer)
            if key_set.key_for(claimed.kid, claimed.algorithm) is None and claimed.algorithm in key_set.algorithms:
                key_set = await self._key_sets.newer(claimed.issuer, claimed.kid) or key_set
        except IssuerUnknown:
            raise self._no("issuer: it has no keys here") from None
        return key_set

    def _audience(self, issuer: str, gateway: CompiledGateway) -> str:
        return audience_of(issuer, gateway.snapshot, own_issuer=self._issuer, base_url=self._base_url)

    def _remember(self, digest: str, verified: Verified) -> Verified:
        """What was verified, for as long as the token lives; one in its last minute is checked at each use."""
        if verified.expires > time.time():
            before = self._verified.peek(digest)
            if before is not None and before.key == verified.key:
                return before
            self._verified.put(digest, verified)
        else:
            self._verified.pop(digest)
        return verified

    def _no(self, why: str, *, of_token: str = "") -> Refusal:
        """The one refusal that a caller gets; the log says what was wrong, and the notes what a good token said."""
        self.refused += 1
        return Refusal("not_authenticated", detail=why, presented=why.partition(":")[0], of_token=of_token)
