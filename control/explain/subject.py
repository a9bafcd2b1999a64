"""Who would call, as somebody names them who asks what would happen: `user:ada@example.com`, `team:Sales`.

Pure; whom that means here is found in `who_calls.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

from control.registry.broken_rule import BrokenRule
from core.resolve import Way

Kind = Literal["user", "team", "organisation", "service", "external", "token"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
WAYS: Final[Mapping[Kind, tuple[Way, ...]]] = MappingProxyType(
    {
        "user": ("token", "oauth", "id_jag", "jwt"),
        "team": ("token",),
        "organisation": ("token",),
        "service": ("oauth", "jwt"),
        "external": ("jwt",),
        "token": ("token",),
    }
)
"""In which ways each can come; the first is meant where none is said."""
_LONGEST: Final = 1_100


@dataclass(frozen=True, slots=True)
class Subject:
    """Who would call, and how they would authenticate."""

    kind: Kind
    name: str
    """E-mail, name, client ID or identifier; '' for the organisation."""
    by: Way

    def __str__(self) -> str:
        return self.kind if self.kind == "organisation" else f"{self.kind}:{self.name}"


def subject_of(text: str, by: Way | None = None) -> Subject:
    """Who is meant by `user:ada@example.com` and the like; raises BrokenRule of `subject` or `by`."""
    kind, _, name = text.partition(":")
    if kind == "organization":
        kind = "organisation"
    known = next((one for one in KINDS if one == kind), None)
    if known is None or len(text) > _LONGEST or (not name.strip()) != (known == "organisation"):
        raise BrokenRule(
            "subject",
            "must be user:EMAIL, team:NAME, organisation, service:CLIENT, external:ID or token:ID",
        )
    ways = WAYS[known]
    if by is not None and by not in ways:
        raise BrokenRule("by", f"must be {' or '.join(ways)} for {_MEANT[known]}")
    return Subject(known, name.strip(), by or ways[0])


_MEANT: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "user": "a person",
        "team": "a team",
        "organisation": "the organisation",
        "service": "a service account",
        "external": "somebody without an account here",
        "token": "a token",
    }
)
