"""What a provider said of a person at their last sign-in: what of it is kept, and what each of it means here. Pure.

Kept sealed by `single_sign_on.py`, and shown to the person themself alone: by the admin API, the command line and
their page. So whoever has too few teams sees which of their groups no rule takes, without anybody else reading them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from control.identity.claims import domain_of, person_of
from control.providers.claim import claim
from control.registry.identity import ProvidedPerson
from control.registry.identity_provider import IdentityProvider, RoleRule, TeamRule
from control.registry.provider_rules import lower_of

MOST_BYTES: Final = 8 << 10
"""Of all that is kept of one sign-in, before it is sealed."""
LONGEST: Final = 256
"""Of one text; what is longer is no name."""
_OF_THE_PROTOCOL: Final = frozenset(
    {"nonce", "at_hash", "c_hash", "s_hash", "jti", "sid", "iat", "nbf", "exp", "iss", "aud", "azp", "auth_time"}
)
"""Claims that say nothing of the person, or belong to one sign-in; some of them prove something."""
_LIKE_SECRETS: Final = ("token", "secret", "password", "code", "assertion")
_SIGNED: Final = "eyJ"
"""So does each signed token begin: a JSON object in base64url."""


class SaidClaims(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of one sign-in: by the claim's name, or its path where a setting names one."""

    claims: dict[str, Any]
    left_out: int = 0
    """Claims and values that there was no room for."""

    def __repr__(self) -> str:
        return "SaidClaims()"

    def packed(self) -> bytes:
        """As it is sealed."""
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class SaidValue:
    """One value of a claim, and what it gives the person here."""

    value: str
    gives: str


@dataclass(frozen=True, slots=True)
class SaidClaim:
    """A claim with its values; one that a setting reads and the provider did not send has none."""

    name: str
    values: tuple[SaidValue, ...]
    note: str = ""
    """What is to be said of the claim as a whole."""


_decoder = msgspec.json.Decoder(SaidClaims)


def unpacked_claims(plain: bytes) -> SaidClaims:
    """What `packed` made."""
    return _decoder.decode(plain)


def to_keep(provider: IdentityProvider, claims: Mapping[str, Any]) -> SaidClaims:
    """What is kept of a provider's checked claims: those that its settings read first, then plain names and values,
    as much as there is room for. Never what is or belongs to a token.
    """
    ruled = {rule.value for rule in provider.team_rules} | {rule.value for rule in provider.role_rules}
    kept: dict[str, Any] = {}
    room, left_out = MOST_BYTES - 64, 0
    for name in [*_read(provider), *sorted(set(claims) - set(_read(provider)))]:
        value = claim(claims, name)
        if value is None or not _is_told(name, name in _read(provider)):
            continue
        values = [one for one in (value if isinstance(value, list) else [value]) if _is_plain(one)]
        values.sort(key=lambda one: one not in ruled)  # a rule's value is never the one that there is no room for
        fitting: list[Any] = []
        room -= len(name) + 8
        for one in values:
            size = len(msgspec.json.encode(one)) + 1
            if size <= room:
                room -= size
                fitting.append(one)
        left_out += len(values) - len(fitting)
        if fitting:
            kept[name] = fitting if isinstance(value, list) else fitting[0]
    return SaidClaims(kept, left_out)


def explained(provider: IdentityProvider, said: SaidClaims, team_names: Mapping[str, str]) -> list[SaidClaim]:
    """What each claim means by the provider's settings of now. `team_names`: of the teams that its rules name."""
    person = person_of(provider, {"iss": provider.issuer, "sub": "", **said.claims}, complete=True)
    told = [_of(provider, person, name, said.claims.get(name), team_names) for name in _read(provider)]
    others = sorted(set(said.claims) - set(_read(provider)))
    return [*told, *(SaidClaim(name, _each(said.claims[name], lambda _: "nothing")) for name in others)]


def _of(
    provider: IdentityProvider, person: ProvidedPerson, name: str, value: Any, team_names: Mapping[str, str]
) -> SaidClaim:
    if value is None:
        return SaidClaim(name, (), "Archway looks for this, and the provider did not send it.")
    gives: dict[str, str] = {
        "sub": "who you are there: your account here is found by it",
        "email_verified": "whether your address there counts",
        provider.email_claim: _address(provider, person),
        provider.name_claim: "your name, if your account here is made at a sign-in",
    }
    if name in {provider.teams_claim, provider.roles_claim}:
        return SaidClaim(name, _each(value, lambda one: _ruled(provider, name, one, team_names)))
    return SaidClaim(name, _each(value, lambda _: gives[name]))


def _address(provider: IdentityProvider, person: ProvidedPerson) -> str:
    if not person.email:
        return "nothing: it is no address that can be used"
    if not person.email_verified:
        return "your address; it finds no account, since the provider does not say that it was verified"
    if domain_of(person.email) not in provider.allowed_domains:
        return "your address; it finds no account, since this provider does not speak for its domain here"
    return "your address; an account here is found by it at a first sign-in"


def _ruled(provider: IdentityProvider, name: str, value: str, team_names: Mapping[str, str]) -> str:
    """What the rules give for one value of the claims of teams and of roles, which may be the same claim."""
    given: list[str] = []
    if name == provider.teams_claim:
        given += [_team(rule, team_names) for rule in provider.team_rules if rule.value == value]
    if name == provider.roles_claim:
        given += [_role(provider, rule) for rule in provider.role_rules if rule.value == value]
    return "; ".join(given) or "nothing: no rule fits"


def _team(rule: TeamRule, team_names: Mapping[str, str]) -> str:
    team = team_names.get(rule.team_id)
    return "nothing: its rule names a team that is gone" if team is None else f"the team {team}, as {rule.role}"


def _role(provider: IdentityProvider, rule: RoleRule) -> str:
    given = lower_of(rule.role, provider.highest_role)
    cut = "" if given == rule.role else f" (its rule says {rule.role}, more than this provider may give)"
    return f"the role {given}{cut}"


def _each(value: Any, gives: Callable[[Any], str]) -> tuple[SaidValue, ...]:
    values: Sequence[Any] = value if isinstance(value, list) else [value]
    return tuple(SaidValue(_text(one), gives(one)) for one in values)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _read(provider: IdentityProvider) -> list[str]:
    """The claims that the settings read, each once, in the order in which people read them."""
    names = ("sub", provider.email_claim, "email_verified", provider.name_claim, provider.teams_claim)
    return list(dict.fromkeys(name for name in (*names, provider.roles_claim) if name))


def _is_told(name: str, is_read: bool) -> bool:
    if is_read:
        return True
    return name not in _OF_THE_PROTOCOL and not any(word in name.lower() for word in _LIKE_SECRETS)


def _is_plain(value: Any) -> bool:
    """Whether this is a name, a number or yes or no; never a token."""
    if isinstance(value, str):
        return len(value) <= LONGEST and value.isprintable() and not value.startswith(_SIGNED)
    return isinstance(value, bool | int | float)
