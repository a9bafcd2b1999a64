"""Who calls, as far as a credential depends on it: handed from a resolve call to whoever makes the credential.

Made by `control/internal/bearers.py` of a proof that was checked; and by discovery of the person for whom a server is
asked what it offers (`of_person`); and where somebody asks what would become of a call (`control/explain/`), of whom
nobody outside is asked. By nobody else: a principal that is merely named is no caller. Never kept, never
written.
"""

from dataclasses import dataclass, field
from typing import Self

from control.credentials.whose import CallerKind
from core.resolve import JwtProof, Principal, Proof, TokenProof


@dataclass(frozen=True, slots=True)
class Calling:
    """A caller whose proof was checked in this very question."""

    principal: Principal
    kind: CallerKind
    proof: Proof = field(repr=False)
    gateway_id: str = ""
    audience: str = ""
    """What a provider's token is for; '' for any other credential."""
    expires_at: float = 0.0
    """Unix seconds at which the caller's credential ends; 0: never, or not known."""

    @classmethod
    def of_person(cls, user_id: str) -> Self:
        """A person for whom a server is asked what it offers, as if they called with a token of Archway's."""
        return cls(Principal("user", user_id, ""), "user_token", TokenProof(""))

    @property
    def own_token(self) -> str:
        """The signed token that the caller came with; '' for an `arch_` token, of which only the digest is known."""
        return self.proof.jwt if isinstance(self.proof, JwtProof) else ""
