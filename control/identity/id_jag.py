"""An identity assertion (ID-JAG): an identity provider's word, to us, that a client may act for a person here. Pure.

Called by `control/oauth/assertions.py` with claims whose signature, type, issuer, audience and times hold. `CHECKS`
lists what is checked beside (draft-ietf-oauth-identity-assertion-authz-grant, and sections 4.3 and 5.1 of MCP's
Enterprise-Managed Authorization). Leaves out who the person is here (`matching.py`), and whether the assertion was
used before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.jwt import VerifiedClaims

TYPE: Final = "oauth-id-jag+jwt"
PROFILE: Final = "urn:ietf:params:oauth:grant-profile:id-jag"
LONGEST_LIFE_S: Final = 300
LONGEST_NAME: Final = 255
"""Characters of a `jti`."""
NARROWING: Final = ("tenant", "aud_tenant", "cnf", "authorization_details")
"""Claims that bound what an assertion allows in ways that are not known here, so that one that has them allows
nothing: people are known by issuer and subject alone, there is one organisation, nobody proves to have a key (RFC
7800), and what a client may do is not told in details (RFC 9396)."""


class AssertionRefused(ValueError):
    """An assertion that gets nobody in; the sentences are for an admin, and repeat no more of it than claims."""

    def __init__(self, reason: str, cure: str, asked: str = "") -> None:
        super().__init__(reason)
        self.reason, self.cure, self.asked = reason, cure, asked


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an assertion says that holds."""

    claims: VerifiedClaims = field(repr=False)
    name: str
    """Its `jti`: by that it counts once."""
    resource: str
    """What it is for; '' where it does not say."""
    scopes: frozenset[str] | None
    """What the client may ask for; None where it does not say."""
    account: str
    """Whom it means here, in our words (`aud_sub`); '' where it does not say."""

    @property
    def issuer(self) -> str:
        """The identity provider."""
        return str(self.claims["iss"])

    @property
    def expires(self) -> int:
        """Unix seconds."""
        return int(self.claims["exp"])


Check = Callable[[Mapping[str, Any], str], None]
"""Looks at claims, brought by the client of this name; raises AssertionRefused."""


def check_life(claims: Mapping[str, Any], _client_id: str) -> None:
    """It lives for five minutes at most."""
    if claims["exp"] - claims["iat"] > LONGEST_LIFE_S:
        raise AssertionRefused(
            "The assertion lives for more than five minutes (`exp` less `iat`).",
            "Have the identity provider make identity assertions that live for at most 300 seconds.",
        )


def check_name(claims: Mapping[str, Any], _client_id: str) -> None:
    """It has a name, by which it counts once."""
    name = claims.get("jti")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise AssertionRefused(
            "The assertion has no `jti`, so that nobody could tell whether it was used before.",
            "Have the identity provider give each identity assertion a `jti` of its own.",
        )


def check_client(claims: Mapping[str, Any], client_id: str) -> None:
    """The client that brings it is the one that it was made for."""
    named = claims.get("client_id")
    if named != client_id:
        raise AssertionRefused(
            "The assertion was made for another client than the one that brings it.",
            f"Have the identity provider name this client in the claim `client_id`, as it is known here: {client_id}",
            asked=f"client_id {named}" if isinstance(named, str) else "no client_id",
        )


def check_bounds(claims: Mapping[str, Any], _client_id: str) -> None:
    """Nothing bounds it that could not be kept here."""
    found = [name for name in NARROWING if claims.get(name) is not None]
    if found:
        raise AssertionRefused(
            "The assertion is bound in a way that is not known here.",
            f"Have the identity provider leave out of identity assertions for Archway: {', '.join(found)}",
            asked=f"claim {found[0]}",
        )


CHECKS: Final[tuple[Check, ...]] = (check_life, check_name, check_client, check_bounds)
"""In this order; the first that fails is told."""


def assertion_of(claims: VerifiedClaims, client_id: str) -> Assertion:
    """What verified claims say, brought by this client; raises AssertionRefused."""
    for check in CHECKS:
        check(claims, client_id)
    return Assertion(claims, claims["jti"], _resource(claims), _scopes(claims), _account(claims))


def _resource(claims: Mapping[str, Any]) -> str:
    """One resource, as text or as a list of one; '' for none."""
    said = claims.get("resource", "")
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    if not isinstance(said, str):
        raise AssertionRefused(
            "The assertion is for several resources, or says for which in a way that has no meaning.",
            "Have the client ask the identity provider for one resource: the gateway's URL.",
        )
    return said


def _scopes(claims: Mapping[str, Any]) -> frozenset[str] | None:
    said = claims.get("scope")
    if said is None:
        return None
    if not isinstance(said, str):
        raise AssertionRefused(
            "The assertion's `scope` is no text.",
            "Have the identity provider say scopes as one text, with spaces between them (RFC 8693 section 4.2).",
        )
    return frozenset(said.split())


def _account(claims: Mapping[str, Any]) -> str:
    said = claims.get("aud_sub", "")
    if not isinstance(said, str):
        raise AssertionRefused("The assertion's `aud_sub` is no text.", "Have the identity provider leave it out.")
    return said
