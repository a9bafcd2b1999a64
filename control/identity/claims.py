"""What a provider's checked claims say of a person, read by the provider's settings. Pure.

Called at a sign-in, when the provider is asked again, and for tokens of calls. Whoever calls has checked the token;
here it is decided which of its words count: an address only where it is one and verified, teams and roles only by
the rules, a role never above the provider's highest. Leaves out who that person is here: `matching.py`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from control.providers.claim import claim
from control.registry.actions import Role
from control.registry.identity import ProvidedPerson
from control.registry.identity_provider import IdentityProvider, TeamRule
from control.registry.provider_rules import higher_of, lower_of

_EMAIL = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,189}")
"""As the admin API takes one. There is one `@`: what stands behind the last is not always what others read."""
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
MOST_VALUES: Final = 2_000
"""Of one claim; more than a token can hold."""
_LONGEST_NAME: Final = 128


def person_of(provider: IdentityProvider, claims: Mapping[str, Any], *, complete: bool) -> ProvidedPerson:
    """What these claims say. `complete`: they are all that the provider says of the person, so that a claim which is
    not there says that there is nothing; else it says nothing.
    """
    return ProvidedPerson(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        email=_email(claim(claims, provider.email_claim)),
        email_verified=_is_verified(provider, claims),
        name=_name(claim(claims, provider.name_claim)),
        teams=_teams(provider, claims, complete=complete),
        role=_role(provider, claims, complete=complete),
    )


def domain_of(email: str) -> str:
    """What stands behind the `@`, lower case."""
    return email.rpartition("@")[2].lower()


def client_and_scopes(claims: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """The provider's client that a token was given to (`azp`, else `client_id`), and what it allows; '' and none
    where it does not say so in text.
    """
    client, scope = claims.get("azp", claims.get("client_id", "")), claims.get("scope", "")
    allowed = frozenset(scope.split()) if isinstance(scope, str) else frozenset[str]()
    return client if isinstance(client, str) else "", allowed


def _email(value: Any) -> str:
    return value if isinstance(value, str) and _EMAIL.fullmatch(value) else ""


def _is_verified(provider: IdentityProvider, claims: Mapping[str, Any]) -> bool:
    """`true` is verified; some providers say it as text. Whatever else is said is not.

    `email_verified` speaks of the claim `email` alone (OpenID Connect Core 5.1). Of an address that is taken from
    another claim, such as a name that people choose for themselves, it says nothing unless the two are the same.
    """
    said = claims.get("email_verified")
    if said is None or not _is_spoken_of(claims, provider.email_claim):
        return provider.assume_email_verified and said in (None, True, "true")
    return said is True or said == "true"


def _is_spoken_of(claims: Mapping[str, Any], email_claim: str) -> bool:
    """Whether the address in this claim is the one that `email_verified` is about."""
    address, about = _email(claim(claims, email_claim)), _email(claims.get("email"))
    return email_claim == "email" or address.lower() == about.lower()


def _name(value: Any) -> str:
    return _NOT_IN_NAMES.sub(" ", value).strip()[:_LONGEST_NAME].strip() if isinstance(value, str) else ""


def _values(claims: Mapping[str, Any], name: str, *, complete: bool) -> frozenset[str] | None:
    """The texts of a claim; None where nothing is said. A claim that is kept elsewhere for its size is not said."""
    kept_elsewhere = claims.get("_claim_names")
    if isinstance(kept_elsewhere, Mapping) and name in kept_elsewhere:
        return None
    found = claim(claims, name)
    if found is None:
        return frozenset() if complete else None
    if isinstance(found, str):
        return frozenset({found})
    if not isinstance(found, Sequence):
        return frozenset()
    return frozenset(value for value in found[:MOST_VALUES] if isinstance(value, str))


def _teams(provider: IdentityProvider, claims: Mapping[str, Any], *, complete: bool) -> Mapping[str, Role] | None:
    if not provider.teams_claim:
        return None
    values = _values(claims, provider.teams_claim, complete=complete)
    return None if values is None else _ruled(provider.team_rules, values)


def _ruled(rules: Sequence[TeamRule], values: frozenset[str]) -> dict[str, Role]:
    """The teams of the rules that fit; where two give one team, the role that holds more."""
    teams: dict[str, Role] = {}
    for rule in rules:
        if rule.value in values:
            before = teams.get(rule.team_id)
            teams[rule.team_id] = rule.role if before is None else higher_of(before, rule.role)
    return teams


def _role(provider: IdentityProvider, claims: Mapping[str, Any], *, complete: bool) -> Role | None:
    if not provider.roles_claim or not provider.role_rules:
        return None
    values = _values(claims, provider.roles_claim, complete=complete)
    if values is None:
        return None
    role: Role = "member"
    for rule in provider.role_rules:
        if rule.value in values:
            role = higher_of(role, rule.role)
    return lower_of(role, provider.highest_role)
