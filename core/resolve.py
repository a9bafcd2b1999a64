"""Resolve calls: what a proxy asks control on a cold key, and the answers.

Every question carries the caller's own proof (for an `arch_` token its digest), which control checks again: it
never answers for a principal merely named. Answers are sealed (`core/internal_call.py`).
"""

from functools import cached_property
from typing import Annotated, Final, Literal

import msgspec

from core.snapshot import RouteKind

LegacyRevision = Literal["", "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
PrincipalKind = Literal["user", "team", "organisation"]
MOST_IN_A_LIST: Final = 100
"""Of one list of questions; control refuses to read one that is longer."""


class Principal(msgspec.Struct, frozen=True, dict=True):
    """Who calls, as far as access and credentials need to know."""

    kind: PrincipalKind
    id: str
    name: str
    teams: frozenset[str] = frozenset()
    """Teams of a user; a team token is in its own team alone; an organisation token in none."""

    @cached_property
    def key(self) -> str:
        """`user:ID`, `team:ID` or `organisation`: no two kinds share one."""
        return self.kind if self.kind == "organisation" else f"{self.kind}:{self.id}"


class TokenQuestion(msgspec.Struct, frozen=True):
    """Who is the bearer of the token with this SHA-256?"""

    digest: str


class TokenVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who bears a token, or why not: `unknown`, `revoked`, `expired` and `disabled` look alike to the caller."""

    digest: str
    principal: Principal | None = None
    token_id: str = ""
    expires: float | None = None
    """Unix seconds; a verdict never outlives it."""
    refusal: Literal["", "unknown", "revoked", "expired", "disabled"] = msgspec.field(default="", name="refused")
    """Why not, '' if nothing is against it. Planes of other versions know it as `refused`."""
    kept_out: Principal | None = None
    """Who bears a token that holds and is not for gateways. `principal` is None then: a proxy of another version,
    which does not know this field, refuses such a token as one that does not hold."""


class TokenQuestions(msgspec.Struct, frozen=True):
    """Who are the bearers of the tokens with these SHA-256? Asked about what is known, to know it again."""

    digests: Annotated[list[str], msgspec.Meta(max_length=MOST_IN_A_LIST)]


class TokenVerdicts(msgspec.Struct, frozen=True):
    """The answers to `TokenQuestions`, each with its digest, in any order. What is left out is to be asked alone."""

    verdicts: list[TokenVerdict]


class InstallationQuestion(msgspec.Struct, frozen=True):
    """Which upstream, with which credential, for this bearer and this assigned tool?"""

    digest: str
    gateway_id: str
    assignment_id: str


class ResolvedInstallation(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """One installation as a proxy may use it: the address, the credential's headers, and how to speak."""

    installation_id: str
    entry_id: str
    entry: str
    """The entry's slug."""
    owner: str
    """`user:ID`, `team:ID` or `organisation`."""
    kind: RouteKind
    url: str
    version: int
    """Rises when the credential or the address changes."""
    fixed_headers: list[tuple[str, str]] = []
    """The entry's own headers: over the caller's, under the credential's."""
    credential_headers: list[tuple[str, str]] = []
    protocol: Literal["auto", "legacy", "2026-07-28"] = "auto"
    revision: LegacyRevision = ""
    """Of a legacy server that is pinned to one; '' for the newest that both speak. Version 0.1 ignores it."""
    isolation: Literal["principal", "client_session", "shared"] = "principal"
    """Who may share a legacy upstream session."""
    deadline_s: float = 0
    """Longest wait for an answer; 0: the proxy's setting."""

    @cached_property
    def own_headers(self) -> dict[str, str]:
        """The credential's headers over the entry's own, lower case. Shared by all calls: not to be changed."""
        return {name.lower(): value for name, value in self.fixed_headers + self.credential_headers}

    def __repr__(self) -> str:
        return f"ResolvedInstallation({self.entry}, {self.installation_id}, v{self.version})"


class InstallationRefusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why no installation can be had; the sentence is for the person behind the client."""

    code: Literal["not_allowed", "credential_missing", "credential_ambiguous", "installation_gone", "needs_sign_in"]
    sentence: str
    link: str = ""


class InstallationAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to an `InstallationQuestion`: the installation or a refusal, exactly one of the two."""

    installation: ResolvedInstallation | None = msgspec.field(default=None, name="connection")
    """Called `connection` on the wire, as version 0.1 does."""
    refusal: InstallationRefusal | None = None


class InstallationQuestions(msgspec.Struct, frozen=True):
    """Many times the question of an installation, each with its own bearer."""

    questions: Annotated[list[InstallationQuestion], msgspec.Meta(max_length=MOST_IN_A_LIST)]


class AnsweredInstallation(msgspec.Struct, frozen=True):
    """One question of a list, and its answer."""

    question: InstallationQuestion
    answer: InstallationAnswer


class InstallationAnswers(msgspec.Struct, frozen=True):
    """The answers to `InstallationQuestions`, in any order. What is left out is to be asked alone."""

    answers: list[AnsweredInstallation]


class GatewayQuestion(msgspec.Struct, frozen=True):
    """What is the snapshot of the gateway with this slug or identifier?"""

    name: str


class GatewayAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A gateway's signed snapshot; without a document there is no such gateway."""

    id: str = ""
    document: bytes = b""


class IndexAnswer(msgspec.Struct, frozen=True):
    """The signed index, for the epoch that control sees on the change stream ('' while Redis is away)."""

    document: bytes
