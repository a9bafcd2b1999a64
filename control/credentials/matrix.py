"""Which kind of credential goes with which way of running a server: one table, asked whenever an entry is saved.

Called by `control/changes/entries.py`. A server that is reached over HTTP gets its credential with every call,
wherever it runs. A program over stdio gets what it needs once, when it is started: it is started again when that
ends, and what is another for each caller cannot be given to it. What a kind does is in `kinds/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, assert_never, get_args

from control.registry.broken_rule import BrokenRule
from control.registry.credential import (
    OMIT,
    Credential,
    IdentityAssertion,
    OAuthCredential,
    TokenExchange,
    WithAccount,
    kind_of,
)
from control.registry.entry import Reached, Remote
from control.registry.self_hosted import SelfHosted

Kind = Literal["none", "static", "oauth", "client_credentials", "token_exchange", "id_jag", "passthrough"]
"""Kinds of credentials."""
Runtime = Literal["remote", "self_hosted_http", "self_hosted_stdio"]
"""Where a server runs: elsewhere, or here, where it is reached over HTTP or is a program over stdio."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
RUNTIMES: Final[tuple[Runtime, ...]] = get_args(Runtime)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is so for one kind of credential and one way of running a server."""

    state: Literal["works", "refused"]
    reason: str = ""
    """Why it does not work; '' where it does. A sentence that begins behind the field's name."""


_WORKS: Final = Cell("works")
_NOT_ASKED: Final = "is needed for a server that Archway runs, which is not asked about its provider"
_ANOTHER: Final = "each caller's token is another; run it over HTTP"


def _not_over_stdio(because: str) -> Cell:
    return Cell(
        "refused", f"does not go with a program over stdio, which gets its credential only at its start: {because}"
    )


MATRIX: Final[Mapping[tuple[Kind, Runtime], Cell]] = MappingProxyType(
    {
        ("none", "remote"): _WORKS,
        ("none", "self_hosted_http"): _WORKS,
        ("none", "self_hosted_stdio"): _WORKS,
        ("static", "remote"): _WORKS,
        ("static", "self_hosted_http"): _WORKS,
        ("static", "self_hosted_stdio"): _WORKS,
        ("oauth", "remote"): _WORKS,
        ("oauth", "self_hosted_http"): _WORKS,
        ("oauth", "self_hosted_stdio"): _WORKS,
        ("client_credentials", "remote"): _WORKS,
        ("client_credentials", "self_hosted_http"): _WORKS,
        ("client_credentials", "self_hosted_stdio"): _WORKS,
        ("token_exchange", "remote"): _WORKS,
        ("token_exchange", "self_hosted_http"): _WORKS,
        ("token_exchange", "self_hosted_stdio"): _not_over_stdio(_ANOTHER),
        ("id_jag", "remote"): _WORKS,
        ("id_jag", "self_hosted_http"): _WORKS,
        ("id_jag", "self_hosted_stdio"): _not_over_stdio(_ANOTHER),
        ("passthrough", "remote"): _WORKS,
        ("passthrough", "self_hosted_http"): _WORKS,
        ("passthrough", "self_hosted_stdio"): _not_over_stdio(_ANOTHER),
    }
)


def check_cell(kind: str, runtime: Runtime) -> None:
    """BrokenRule at `credential_model`, with the reason, where this kind does not work with servers that run so."""
    cell = next((cell for (of, at), cell in MATRIX.items() if (of, at) == (kind, runtime)), None)
    if cell is None:
        raise BrokenRule("credential_model", f"must be one of {', '.join(KINDS)}")
    if cell.state != "works":
        raise BrokenRule("credential_model", f"{kind!r} {cell.reason}")


def check_goes_together(credential: Credential, reached: Reached) -> None:
    """BrokenRule where an entry with this credential, reached so, must not be saved."""
    check_cell(kind_of(credential), runtime_of(reached))
    if isinstance(reached, SelfHosted):
        if isinstance(credential, WithAccount):
            _check_says_its_provider(credential)
        if isinstance(credential, TokenExchange | IdentityAssertion) and not credential.resource:
            raise BrokenRule("credential_placement.resource", f"{_NOT_ASKED}: what the tokens are for, or {OMIT!r}")
    if isinstance(credential, WithAccount):
        _check_when_it_is_given(credential, runtime_of(reached))


def _check_says_its_provider(credential: WithAccount) -> None:
    """A server that we run is not asked about its provider: it answers where only proxies reach it, and later."""
    typed = [credential.token_endpoint]
    if isinstance(credential, OAuthCredential):
        typed.append(credential.authorization_endpoint)
    if not (credential.issuer or all(typed)):
        raise BrokenRule("credential_placement.issuer", _NOT_ASKED)
    if not credential.resource:
        raise BrokenRule("credential_placement.resource", f"{_NOT_ASKED}: what the tokens are for, or {OMIT!r}")


def _check_when_it_is_given(credential: WithAccount, runtime: Runtime) -> None:
    """A program over stdio gets its token at its start, and all others with each call."""
    where = "file" if credential.file else "variable"
    if runtime == "self_hosted_stdio" and not (credential.variable or credential.file):
        raise BrokenRule(
            "credential_placement.variable",
            "or file is needed: a program over stdio gets its token at its start; name what it reads",
        )
    if runtime != "self_hosted_stdio" and (credential.variable or credential.file):
        raise BrokenRule(
            f"credential_placement.{where}",
            "is for a program over stdio that Archway runs: others get the token with each call; leave it out",
        )


def runtime_of(reached: Reached) -> Runtime:
    """Where a server runs that is reached so."""
    match reached:
        case Remote():
            return "remote"
        case SelfHosted(transport="http"):
            return "self_hosted_http"
        case SelfHosted():
            return "self_hosted_stdio"
    assert_never(reached)
