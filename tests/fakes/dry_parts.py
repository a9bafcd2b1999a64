"""Parts for stages that run dry: they look only at what a worker has, and there is nothing in them to act on.

    async with worker() as made:
        deps = dry_parts(made)
        authenticate(x, deps)

What a worker remembers is read without a trace: no use is counted, nothing is refreshed and nobody is asked.
"""

from dataclasses import replace

from core.resolve import CallerVerdict, InstallationQuestion, JwtProof, Proof, ResolvedInstallation
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.gateways.compiled import CompiledGateway
from proxy.limits.shares import Shares
from proxy.refusals import Refusal
from proxy.resolve.installations import Installations
from proxy.verified_token import Verified
from proxy.worker import Worker


class NoCounts:
    """Counts nothing."""

    def add(self, name: str, amount: float = 1.0) -> None:
        """Nothing."""

    def count_refusal(self, reason: str) -> None:
        """Nothing."""

    def call(
        self, gateway: str, server: str, tool: str, status: str, seconds: float, bytes_in: int, bytes_out: int
    ) -> None:
        """Nothing."""


class PeeksAtCallers:
    """Knows what the worker remembers of callers."""

    def __init__(self, made: Worker) -> None:
        self._verdicts = dict(made.authority.verdicts.memory.items())

    def known(self, proof: Proof) -> CallerVerdict | None:
        aged = self._verdicts.get(proof.digest)
        return aged.value if aged is not None else None

    def refused_lately(self, digest: str) -> bool:
        return False

    def remembers(self, digest: str) -> bool:
        return digest in self._verdicts

    async def verdict(self, proof: Proof, address: str) -> CallerVerdict:
        raise SourceUnreachable


class PeeksAtSignedTokens:
    """Knows what the worker has verified of signed tokens."""

    def __init__(self, made: Worker) -> None:
        self._made = made
        self._verified = dict(made.signed_tokens._verified.items())

    def known(self, digest: str, gateway_name: str) -> Verified | None:
        verified, gateway = self._verified.get(digest), self._made.gateways.peek(gateway_name)
        return verified if verified is not None and gateway is not None and self.is_for(verified, gateway) else None

    async def verified(self, proof: JwtProof, gateway_name: str, address: str) -> Verified:
        raise SourceUnreachable

    def is_for(self, verified: Verified, gateway: CompiledGateway) -> bool:
        return self._made.signed_tokens.is_for(verified, gateway)


class PeeksAtGateways:
    """Knows the gateways that the worker holds."""

    def __init__(self, made: Worker) -> None:
        held = made.gateways.all()
        self._held = {one.id: one for one in held} | {one.snapshot.slug: one for one in held}

    def held(self, name: str) -> CompiledGateway | None:
        return self._held.get(name)

    def peek(self, name: str) -> CompiledGateway | None:
        return self._held.get(name)

    async def load(self, name: str, address: str) -> CompiledGateway:
        raise Refusal("gateway_unavailable")


class PeeksAtInstallations:
    """Knows what the worker remembers of installations."""

    def __init__(self, made: Worker) -> None:
        self._resolved = dict(made.installations.resolved.memory.items())

    def key(self, gateway_id: str, assignment_id: str, principal_key: str | None) -> str:
        return Installations.key(gateway_id, assignment_id, principal_key)

    def young(self, key: str) -> ResolvedInstallation | None:
        aged = self._resolved.get(key)
        return aged.value if aged is not None else None

    def known(self, key: str, question: InstallationQuestion) -> ResolvedInstallation | None:
        return self.young(key)

    async def resolve(self, key: str, question: InstallationQuestion) -> ResolvedInstallation:
        raise SourceUnreachable


class NeverSheds:
    """Has no load."""

    sheds = False
    pressed = False

    def refuses(self, address: str, *, stranger: bool = False) -> bool:
        return False


class AlwaysRoom:
    """Has room for every call, and takes none of the worker's."""

    def __init__(self) -> None:
        self.running, self.held = Shares(), Shares()

    def enter(self, server: str, principal: str, tool: str, most: int) -> bool:
        return True

    def leave(self, server: str, principal: str, tool: str) -> None:
        """Nothing was taken."""


def dry_parts(made: Worker) -> Deps:
    """The parts of a worker, but those through which a stage acts."""
    return replace(
        made.deps,
        slots=NoCounts(),
        authority=PeeksAtCallers(made),
        signed_tokens=PeeksAtSignedTokens(made),
        gateways=PeeksAtGateways(made),
        installations=PeeksAtInstallations(made),
        overload=NeverSheds(),
        usage=AlwaysRoom(),
        header_names={},
    )
