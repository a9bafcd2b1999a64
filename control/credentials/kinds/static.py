"""A static credential: a key or token that an installation brings and that is sent as it is.

The entry says into which header it is put; or into which variable or file of a server that we run, which gets it at
its start. What cannot be carried there is refused while the person is there.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, assert_never

from control.registry.broken_rule import BrokenRule
from control.registry.credential import CREDENTIAL, CheckedCredential, Cure, StaticCredential
from control.registry.headers import check_own_header, check_value
from control.registry.run_names import check_content, check_file, check_variable
from control.registry.targets import Target, header

_FIELD = "credential_placement"
_EXAMPLES: Final[Mapping[str, str]] = MappingProxyType(
    {"header": "x-api-key", "variable": "API_KEY", "file": "api_key"}
)
"""Styles that need a name, and one that would do."""
_CURE = Cure("Its entry asks for a credential; give it.", "--credential")


def check(credential: StaticCredential) -> CheckedCredential:
    """With a header's name in lower case, or BrokenRule: what is filled needs its name, and other styles none."""
    style = credential.style
    for name, example in _EXAMPLES.items():
        given = getattr(credential, name)
        if given and name != style:
            raise BrokenRule(
                f"{_FIELD}.{name}", f"is allowed only with the style {name!r}; leave it out for {style!r}"
            )
        if not given and name == style:
            raise BrokenRule(
                f"{_FIELD}.{name}", f"is needed with the style {name!r}; give its name, such as {example}"
            )
    match style:
        case "header":
            name = check_own_header(credential.header, f"{_FIELD}.header")
            return CheckedCredential(StaticCredential("header", name), (header(name),))
        case "variable":
            return CheckedCredential(
                credential, (check_variable(credential.variable, f"{_FIELD}.variable", asked=True),)
            )
        case "file":
            return CheckedCredential(credential, (check_file(credential.file, f"{_FIELD}.file"),))
        case "bearer" | "authorization":
            return CheckedCredential(credential, (header("authorization"),))
    assert_never(style)


def take(
    credential: StaticCredential, given: str | None, earlier: Mapping[str, str], entry_name: str
) -> dict[str, str]:
    """The value, or the one given earlier; BrokenRule without any, and for one that cannot be sent."""
    value = given if given is not None else earlier.get(CREDENTIAL)
    if value is None:
        raise BrokenRule("credential", f"is needed: {entry_name} takes an API key or token")
    return {CREDENTIAL: _checked(credential, value)}


def headers(credential: StaticCredential, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """The one header that carries it, its name in lower case; none where it is given at the start."""
    value, target = secrets[CREDENTIAL], _target(credential)
    if target.kind != "header":
        return []
    return [(target.name, f"Bearer {value}" if credential.style == "bearer" else value)]


def at_start(credential: StaticCredential, secrets: Mapping[str, str]) -> list[tuple[Target, str]]:
    """The variable or file that carries it; nothing where it is sent with each request."""
    target = _target(credential)
    return [] if target.kind == "header" else [(target, secrets[CREDENTIAL])]


def places(credential: StaticCredential) -> dict[str, str]:
    """The one header, and the word before the value if there is one: `authorization: Bearer`, `x-api-key`; or
    `variable API_KEY`.
    """
    target = _target(credential)
    if target.kind != "header":
        return {CREDENTIAL: str(target)}
    return {CREDENTIAL: f"{target.name}: Bearer" if credential.style == "bearer" else target.name}


def cure(_: StaticCredential, held: Collection[str]) -> Cure | None:
    """To give it, where it is not among the secrets of these names."""
    return None if CREDENTIAL in held else _CURE


def _target(credential: StaticCredential) -> Target:
    match credential.style:
        case "header":
            return header(credential.header)
        case "variable":
            return Target("variable", credential.variable)
        case "file":
            return Target("file", credential.file)
        case "bearer" | "authorization":
            return header("authorization")
    assert_never(credential.style)


def _checked(credential: StaticCredential, value: str) -> str:
    """A value that can be sent, or held by a variable or file; BrokenRule without repeating it."""
    if credential.style in {"variable", "file"}:
        return check_content(value, "credential")
    check_value(value, "credential")
    if credential.style == "bearer" and value.lower().startswith("bearer "):
        raise BrokenRule("credential", "begins with 'Bearer '; give the token alone, Archway writes that word")
    if credential.style == "bearer" and " " in value:
        raise BrokenRule("credential", "has a space, which a bearer token cannot have (RFC 6750 section 2.1)")
    return value
