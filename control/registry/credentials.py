"""How an installation's static credential is put into a request: the entry's placement.

Saved with the entry, used when a credential is sealed (so that a value which no header can carry is refused while the
person is there) and when a connection is resolved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from control.registry.broken_rule import BrokenRule
from control.registry.headers import check_own_header, check_value

CREDENTIAL = "credential"
"""The name under which the primary credential stands among an installation's secret values."""

Style = Literal["bearer", "authorization", "header"]


@dataclass(frozen=True, slots=True)
class Placement:
    """`bearer`: `Authorization: Bearer <value>`; `authorization`: the value as it is; `header`: under `header`."""

    style: Style
    header: str = ""

    @property
    def name(self) -> str:
        """The header that carries the credential, lower case."""
        return self.header if self.style == "header" else "authorization"

    def as_json(self) -> dict[str, str]:
        """As the row keeps it."""
        return {"style": self.style, "header": self.header} if self.style == "header" else {"style": self.style}


def check_placement(style: Style, header: str, field: str = "credential") -> Placement:
    """The placement, or BrokenRule: a custom header needs a name, and the other styles take none."""
    if style != "header":
        if header:
            raise BrokenRule(f"{field}.header", f"goes with the style 'header' only; take it out for {style!r}")
        return Placement(style)
    if not header:
        raise BrokenRule(f"{field}.header", "is needed with the style 'header'; give its name, such as x-api-key")
    return Placement(style, check_own_header(header, f"{field}.header"))


def placement_of(row: Mapping[str, Any]) -> Placement:
    """The placement that an entry's row keeps."""
    return Placement(row["style"], row.get("header", ""))


def check_credential(placement: Placement, value: str, field: str = "credential") -> str:
    """A credential that the placement can send; BrokenRule without repeating it."""
    check_value(value, field)
    if placement.style == "bearer" and value.lower().startswith("bearer "):
        raise BrokenRule(field, "begins with 'Bearer '; give the token alone, Archway writes that word")
    if placement.style == "bearer" and " " in value:
        raise BrokenRule(field, "has a space, which a bearer token cannot have (RFC 6750 section 2.1)")
    return value


def credential_headers(placement: Placement, value: str) -> list[tuple[str, str]]:
    """The header that carries the credential, as a list of one pair; name in lower case."""
    return [(placement.name, f"Bearer {value}" if placement.style == "bearer" else value)]
