"""A static credential: a key or token that an installation brings and that is sent as it is.

The entry says into which header it is put. What no header can carry is refused while the person is there.
"""

from collections.abc import Collection, Mapping

from control.registry.broken_rule import BrokenRule
from control.registry.credential import CREDENTIAL, CheckedCredential, Cure, StaticCredential
from control.registry.headers import check_own_header, check_value

_FIELD = "credential_placement.header"
_CURE = Cure("Its entry asks for a credential; give it.", "--credential")


def check(credential: StaticCredential) -> CheckedCredential:
    """With the header's name in lower case, or BrokenRule: a header of one's own needs a name, other styles none."""
    if credential.style != "header":
        if credential.header:
            raise BrokenRule(
                _FIELD, f"is allowed only with the style 'header'; leave it out for {credential.style!r}"
            )
        return CheckedCredential(credential, ("authorization",))
    if not credential.header:
        raise BrokenRule(_FIELD, "is needed with the style 'header'; give its name, such as x-api-key")
    header = check_own_header(credential.header, _FIELD)
    return CheckedCredential(StaticCredential("header", header), (header,))


def take(
    credential: StaticCredential, given: str | None, earlier: Mapping[str, str], entry_name: str
) -> dict[str, str]:
    """The value, or the one given earlier; BrokenRule without any, and for one that cannot be sent."""
    value = given if given is not None else earlier.get(CREDENTIAL)
    if value is None:
        raise BrokenRule("credential", f"is needed: {entry_name} takes an API key or token")
    return {CREDENTIAL: _checked(credential, value)}


def headers(credential: StaticCredential, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """The one header that carries it; its name in lower case."""
    value = secrets[CREDENTIAL]
    return [(_header(credential), f"Bearer {value}" if credential.style == "bearer" else value)]


def places(credential: StaticCredential) -> dict[str, str]:
    """The one header, and the word before the value if there is one: `authorization: Bearer`, `x-api-key`."""
    name = _header(credential)
    return {CREDENTIAL: f"{name}: Bearer" if credential.style == "bearer" else name}


def cure(_: StaticCredential, held: Collection[str]) -> Cure | None:
    """To give it, where it is not among the secrets of these names."""
    return None if CREDENTIAL in held else _CURE


def _header(credential: StaticCredential) -> str:
    return credential.header if credential.style == "header" else "authorization"


def _checked(credential: StaticCredential, value: str) -> str:
    """A value that can be sent; BrokenRule without repeating it."""
    check_value(value, "credential")
    if credential.style == "bearer" and value.lower().startswith("bearer "):
        raise BrokenRule("credential", "begins with 'Bearer '; give the token alone, Archway writes that word")
    if credential.style == "bearer" and " " in value:
        raise BrokenRule("credential", "has a space, which a bearer token cannot have (RFC 6750 section 2.1)")
    return value
