"""Parts for stages that run dry: they say what they were told, and there is nothing in them to act on.

    deps = dry_parts(worker.deps, verdict, gateway, answer)
    enter_gateway(x, deps)

Nothing is counted, remembered, asked, sent or taken, whatever a stage does with them. They stand in for the seven
protocols of `proxy/deps.py`; of the worker's own parts a stage before `forward` only reads.
"""

from dataclasses import replace
from typing import Final

from core.jwt import CALL_SCOPE, VerifiedClaims
from core.key_sets import PublicKey
from core.resolve import (
    AuthKind,
    CallerVerdict,
    InstallationAnswer,
    InstallationQuestion,
    JwtProof,
    Proof,
    ResolvedInstallation,
    TokenProof,
)
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.gateways.compiled import CompiledGateway
from proxy.limits.shares import Shares
from proxy.refusals import Refusal
from proxy.resolve.installations import Installations, taken
from proxy.verified_token import Verified

_NO_KEY: Final = PublicKey("OKP")


def proof_for(verdict: CallerVerdict) -> Proof:
    """A proof that a verdict of this kind is about; it proves nothing."""
    return TokenProof(verdict.digest) if verdict.auth == "token" else JwtProof(verdict.digest, "")


def verified_as(way: AuthKind) -> Verified:
    """A signed token of this kind that allows all that such a token can."""
    claims = {"iss": "", "sub": "", "aud": "", "exp": float("inf"), "scope": CALL_SCOPE}
    return Verified(VerifiedClaims(claims), _NO_KEY, way)


class NoCounts:
    """Stands where a worker counts, and counts nothing."""

    def add(self, name: str, amount: float = 1.0) -> None:
        """Nothing."""

    def count_refusal(self, reason: str) -> None:
        """Nothing."""


class OneCaller:
    """Knows one caller, by whatever credential."""

    def __init__(self, verdict: CallerVerdict) -> None:
        self._verdict = verdict

    def known(self, proof: Proof) -> CallerVerdict | None:
        """The verdict."""
        return self._verdict

    def refused_lately(self, digest: str) -> bool:
        """Never: each question is answered by itself."""
        return False

    def remembers(self, digest: str) -> bool:
        """Always."""
        return True

    async def verdict(self, proof: Proof, address: str) -> CallerVerdict:
        """The verdict."""
        return self._verdict


class GoodTokens:
    """Takes each signed token for one that its issuer signed, for the gateway that is asked about; there is none for
    a gateway that takes no tokens of the kind, or is not there (`proxy/callers/signed_tokens.py`).
    """

    def __init__(self, way: AuthKind, gateway: CompiledGateway | None) -> None:
        provider = gateway.snapshot.identity_provider if gateway is not None else None
        there_is_one = gateway is not None and (way == "oauth" or provider is not None)
        self._verified = verified_as(way) if there_is_one else None

    def known(self, digest: str, gateway_name: str) -> Verified | None:
        """What would be verified of it."""
        return self._verified

    async def verified(self, proof: JwtProof, gateway_name: str, address: str) -> Verified:
        """There is none that is not known. Raises Refusal."""
        raise Refusal("not_authenticated", presented="issuer")

    def is_for(self, verified: Verified, gateway: CompiledGateway) -> bool:
        """Always."""
        return True


class OneGateway:
    """Holds the one gateway that is asked about, or none; loading another finds nothing."""

    def __init__(self, gateway: CompiledGateway | None) -> None:
        self._gateway = gateway

    def held(self, name: str) -> CompiledGateway | None:
        """It."""
        return self._gateway

    def peek(self, name: str) -> CompiledGateway | None:
        """It."""
        return self._gateway

    async def load(self, name: str, address: str) -> CompiledGateway:
        """There is no other. Raises Refusal."""
        raise Refusal("gateway_unknown")


class OneInstallation:
    """Knows what control answered of the installation, if it was asked."""

    def __init__(self, answer: InstallationAnswer | None) -> None:
        self._answer = answer

    def key(self, gateway_id: str, assignment_id: str, principal_key: str | None) -> str:
        """As of the worker's own."""
        return Installations.key(gateway_id, assignment_id, principal_key)

    def young(self, key: str) -> ResolvedInstallation | None:
        """None, so that the answer is taken as one that was asked for."""
        return None

    def known(self, key: str, question: InstallationQuestion) -> ResolvedInstallation | None:
        """None."""
        return None

    async def resolve(self, key: str, question: InstallationQuestion) -> ResolvedInstallation:
        """The installation; raises Refusal with control's reason, or SourceUnreachable before it was asked."""
        if self._answer is None:
            raise SourceUnreachable
        return taken(self._answer)


class NeverSheds:
    """Has no load, so that no call is one too many."""

    sheds = False
    pressed = False

    def refuses(self, address: str, *, stranger: bool = False) -> bool:
        """Never."""
        return False


class AlwaysRoom:
    """Has room for every call, and takes none of the worker's."""

    def __init__(self) -> None:
        self.running, self.held = Shares(), Shares()

    def enter(self, server: str, principal: str, tool: str, most: int) -> bool:
        """Always, and nothing is taken."""
        return True

    def leave(self, server: str, principal: str, tool: str) -> None:
        """Nothing was taken."""


def dry_parts(
    deps: Deps, verdict: CallerVerdict, gateway: CompiledGateway | None, answer: InstallationAnswer | None
) -> Deps:
    """The parts of a worker, but those through which a stage acts: they say this."""
    return replace(
        deps,
        slots=NoCounts(),  # type: ignore[arg-type]  # what stages before `forward` use of each, and no more
        authority=OneCaller(verdict),  # type: ignore[arg-type]
        signed_tokens=GoodTokens(verdict.auth, gateway),
        gateways=OneGateway(gateway),
        installations=OneInstallation(answer),  # type: ignore[arg-type]
        overload=NeverSheds(),
        usage=AlwaysRoom(),  # type: ignore[arg-type]
        tracer=None,
        header_names={},
    )
