"""Whose token, for which kind of credential: one table of who may call and of what a server may ask for.

Asked when a call is resolved (`usable.py`), when somebody asks what would happen, and by the page of the docs that is
made of it. It says whose proof reaches a server; whether that proof is good is decided where it is used. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, cast, get_args

from control.registry.credential import Credential, kind_of
from core.resolve import AuthKind, Principal

CallerKind = Literal[
    "oauth", "id_jag", "provider_token", "user_token", "team_token", "organisation_token", "service_account",
    "ci_job", "external",
]  # fmt: skip
"""Kinds of callers: by an access token of Archway that a person allowed, or that came of an identity assertion; by an
identity provider's own token, as a person, as a job bound to a service account, or as somebody without an account
here; by an `arch_` token; as a service account."""
Wanted = Literal[
    "none", "static", "oauth", "client_credentials", "token_exchange", "id_jag", "passthrough", "caller_statement"
]
"""What an entry's server gets: a kind of credential, or a statement of Archway's about the caller."""
Uses = Literal["nothing", "installation", "sign_in", "own_token", "statement"]
"""`installation`: what the installation holds. `sign_in`: what the provider gave at the person's own sign-in.
`own_token`: the token that the caller came with. `statement`: what Archway knows of the caller."""
CALLERS: Final[tuple[CallerKind, ...]] = get_args(CallerKind)
WANTED: Final[tuple[Wanted, ...]] = get_args(Wanted)


@dataclass(frozen=True, slots=True)
class Cell:
    """Whose token is used for one kind of caller and one kind of credential, or why none: a sentence for people."""

    uses: Uses | None
    refusal: str = ""
    """Behind the server's name; '' where it works."""


_NOBODY: Final[Mapping[CallerKind, str]] = MappingProxyType(
    {
        "team_token": "acts as the person who calls, and a team's token is nobody's: call with a token of your own",
        "organisation_token": "acts as the person who calls, and the organisation's token is nobody's: call with a "
        "token of your own",
        "service_account": "acts as the person who calls, and a service account is no person: assign a tool with a "
        "credential of the service account's own",
    }
)
_NOT_PASSED_ON: Final = (
    "takes the identity provider's own token, and you call with one of Archway: call with the provider's token"
)


def _row(uses: Uses) -> dict[CallerKind, Cell]:
    return dict.fromkeys(CALLERS, Cell(uses))


def _exchanged() -> dict[CallerKind, Cell]:
    people: dict[CallerKind, Cell] = dict.fromkeys(("oauth", "id_jag", "user_token"), Cell("sign_in"))
    own: dict[CallerKind, Cell] = dict.fromkeys(("provider_token", "ci_job", "external"), Cell("own_token"))
    return people | own | {kind: Cell(None, why) for kind, why in _NOBODY.items()}


def _passed_on() -> dict[CallerKind, Cell]:
    own = _exchanged()
    return {kind: own[kind] if own[kind].uses == "own_token" else Cell(None, _NOT_PASSED_ON) for kind in CALLERS}


TABLE: Final[Mapping[Wanted, Mapping[CallerKind, Cell]]] = MappingProxyType(
    {
        "none": _row("nothing"),
        "static": _row("installation"),
        "oauth": _row("installation"),
        "client_credentials": _row("installation"),
        "token_exchange": _exchanged(),
        "id_jag": _exchanged(),
        "passthrough": _passed_on(),
        "caller_statement": _row("statement"),
    }
)


def cell_of(credential: Credential, caller: CallerKind) -> Cell:
    """The cell of this kind of credential and this kind of caller."""
    return TABLE[cast("Wanted", kind_of(credential))][caller]


def caller_kind(principal: Principal, auth: AuthKind, *, by_assertion: bool) -> CallerKind:
    """What kind of caller that is, of what a verdict says."""
    match principal.kind:
        case "team":
            return "team_token"
        case "organisation":
            return "organisation_token"
        case "external":
            return "external"
        case "service":
            return "ci_job" if auth == "jwt" else "service_account"
        case "user":
            of_token: dict[AuthKind, CallerKind] = {"token": "user_token", "jwt": "provider_token", "oauth": "oauth"}
            return "id_jag" if by_assertion else of_token[auth]
