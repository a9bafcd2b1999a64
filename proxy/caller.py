"""Who makes a request: the verdict on a caller, together with the proof that it is about.

Made by the stage `authenticate`. What a caller has or does (sessions, streams, records, shares of the worker) is
bound to who they are and how they authenticated, never to the bytes of a credential. The proof stays with a caller:
control is asked with it again (`core.resolve.JwtProof` says what that means for a signed token).
"""

from typing import Final

from core.resolve import CallerVerdict, Proof, TokenProof, Way
from proxy.verified_token import Verified


class Caller:
    """Who makes a request, how they proved it, and with what. Shared by requests, and never changed."""

    __slots__ = ("credential", "key", "principal", "proof", "verdict", "verified", "way")

    def __init__(self, verdict: CallerVerdict, proof: Proof, verified: Verified | None = None) -> None:
        self.verdict, self.proof = verdict, proof
        self.verified = verified
        """What was verified here of a signed token; None for a token that control alone can judge."""
        self.principal = verdict.principal
        """None for nobody, and for who is known and may not call gateways."""
        bearer = verdict.principal or verdict.kept_out
        self.key = bearer.key if bearer is not None else ""
        """`user:ID`, `team:ID`, `organisation` and so on; empty for nobody."""
        self.credential = verdict.credential
        self.way: Way = verdict.way
        """Of authenticating."""

    @property
    def at_provider(self) -> tuple[str, str]:
        """Issuer and subject of an identity provider's own token; empty for another credential."""
        verified = self.verified
        return (verified.issuer, verified.subject) if verified is not None and verified.way == "jwt" else ("", "")

    @property
    def stands(self) -> bool:
        """Whether what was verified of their token is so still; asked of control it must be in any case."""
        return self.verified is None or self.verified.stands

    def judged(self, verdict: CallerVerdict) -> "Caller":
        """The caller by another verdict on the same proof; this one, where nothing is new."""
        return self if verdict is self.verdict else Caller(verdict, self.proof, self.verified)

    def __repr__(self) -> str:
        return f"Caller({self.key or 'nobody'}, {self.way})"


STRANGER: Final = Caller(CallerVerdict("", refusal="unknown"), TokenProof(""))
"""Who makes a request that was not authenticated, or not yet."""
