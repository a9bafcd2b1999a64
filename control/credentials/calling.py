"""Who calls, as far as a credential depends on it: handed along from a resolve call to whoever makes the credential.

Made by `control/internal/questions.py` of a proof that was checked, and by nobody else: a principal that is merely
named is no caller. Never kept, never written.
"""

from dataclasses import dataclass, field

from control.credentials.whose import CallerKind
from core.resolve import JwtProof, Principal, Proof


@dataclass(frozen=True, slots=True)
class Calling:
    """A caller whose proof was checked in this very question."""

    principal: Principal
    kind: CallerKind
    proof: Proof = field(repr=False)
    gateway_id: str = ""
    identity_id: str = ""
    """Of a provider's token: whose it is there (`identities`); '' for none."""

    @property
    def own_token(self) -> str:
        """The signed token that the caller came with; '' for an `arch_` token, of which only the digest is known."""
        return self.proof.jwt if isinstance(self.proof, JwtProof) else ""
