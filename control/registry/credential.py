"""What an entry says of its credential: one of the kinds below, with the settings of that kind.

Kept by an entry as one JSON object, `{"kind": "static", "style": "bearer"}`; the admin API tells the kind and the
settings apart. What a kind does is in `control/credentials/kinds/`, one file each. Leaves out the secrets: those are
an installation's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

from control.registry.broken_rule import BrokenRule

CREDENTIAL: Final = "credential"
"""The name under which the primary credential stands among an installation's secret values."""

Style = Literal["bearer", "authorization", "header"]


class _Kind(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """What all kinds of credentials have in common: how they are written."""


class NoCredential(_Kind, frozen=True, tag="none"):
    """No credential: the server asks for none."""


class StaticCredential(_Kind, frozen=True, tag="static"):
    """A key or token that each installation brings, sent in one header of every request."""

    style: Annotated[
        Style,
        msgspec.Meta(
            description="`bearer`: `Authorization: Bearer <value>`; `authorization`: the value alone; "
            "`header`: your own."
        ),
    ]
    header: Annotated[
        str, msgspec.Meta(max_length=64, description="With the style `header`: its name, such as `x-api-key`.")
    ] = ""


Credential = NoCredential | StaticCredential

_OF_KIND: Final[Mapping[str, type[_Kind]]] = {str(one.__struct_config__.tag): one for one in get_args(Credential)}
KINDS: Final = tuple(_OF_KIND)
"""The names of all kinds."""
KINDS_WITH_SETTINGS: Final = tuple(name for name, one in _OF_KIND.items() if one.__struct_fields__)


@dataclass(frozen=True, slots=True)
class CheckedCredential:
    """A credential that an entry may be saved with; made by `control/credentials/dispatch.py` alone."""

    credential: Credential
    fills: tuple[str, ...]
    """The headers that it fills, lower case: no other source may fill them too."""


@dataclass(frozen=True, slots=True)
class Cure:
    """What a person can do about a credential that is missing."""

    sentence: str
    """For whoever looks after the installation."""
    option: str
    """Of `archway installations create` and `update`, with which it is given; '' where the command line cannot."""


def settings_class(kind: str) -> type[msgspec.Struct]:
    """The class whose fields are the settings of this kind; KeyError for a kind that there is not."""
    return _OF_KIND[kind]


def kind_of(credential: Credential) -> str:
    """The kind's name."""
    return str(credential.__struct_config__.tag)


def settings_of(credential: Credential) -> dict[str, Any]:
    """The settings that are not the usual ones, as JSON."""
    told: dict[str, Any] = msgspec.to_builtins(credential)
    return {name: value for name, value in told.items() if name != "kind"}


def credential_of(kind: str, settings: Mapping[str, Any] | None, field: str = "credential_placement") -> Credential:
    """The credential of this kind with these settings; BrokenRule at `field` where they do not go together."""
    names = settings_class(kind).__struct_fields__
    if settings and not names:
        kinds = " or ".join(repr(one) for one in KINDS_WITH_SETTINGS)
        raise BrokenRule(field, f"goes with the credential model {kinds} only; take it out")
    if names and not settings:
        raise BrokenRule(field, f"is needed with the credential model {kind!r}; give its {names[0]}")
    try:
        made: Credential = msgspec.convert({**(settings or {}), "kind": kind}, Credential)
    except msgspec.ValidationError:
        raise BrokenRule(field, f"does not fit the credential model {kind!r}; it takes {', '.join(names)}") from None
    return made
