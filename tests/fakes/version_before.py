"""What planes of the version before (0.1) say about callers on the wire and in Redis, written down as they did."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.resolve import CallerVerdict

Refused = Literal["", "unknown", "revoked", "expired", "disabled"]


class PrincipalBefore(msgspec.Struct, frozen=True):
    kind: Literal["user", "team", "organisation"]
    id: str
    name: str
    teams: frozenset[str] = frozenset()


class TokenQuestion(msgspec.Struct, frozen=True):
    digest: str


class TokenVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    digest: str
    principal: PrincipalBefore | None = None
    token_id: str = ""
    expires: float | None = None
    refused: Refused = ""
    kept_out: PrincipalBefore | None = None


class TokenQuestions(msgspec.Struct, frozen=True):
    digests: list[str]


class TokenVerdicts(msgspec.Struct, frozen=True):
    verdicts: list[TokenVerdict]


class InstallationQuestionBefore(msgspec.Struct, frozen=True):
    digest: str
    gateway_id: str
    assignment_id: str


class InstallationQuestionsBefore(msgspec.Struct, frozen=True):
    questions: list[InstallationQuestionBefore]


class InstallationBefore(msgspec.Struct, frozen=True, omit_defaults=True):
    installation_id: str
    entry_id: str
    entry: str
    owner: str
    kind: str
    url: str
    version: int
    fixed_headers: list[tuple[str, str]] = []
    credential_headers: list[tuple[str, str]] = []
    protocol: Literal["auto", "legacy", "2026-07-28"] = "auto"
    isolation: Literal["principal", "client_session", "shared"] = "principal"
    deadline_s: float = 0


class InstallationAnswerBefore(msgspec.Struct, frozen=True, omit_defaults=True):
    connection: InstallationBefore | None = None
    refusal: object = None


def as_before(verdict: CallerVerdict) -> TokenVerdict:
    """What control of the version before says of the same token."""
    principal, kept_out = (
        None if one is None else PrincipalBefore(one.kind, one.id, one.name, one.teams)  # type: ignore[arg-type]  # of its kinds
        for one in (verdict.principal, verdict.kept_out)
    )
    return TokenVerdict(verdict.digest, principal, verdict.credential_id, verdict.expires, verdict.refusal, kept_out)
