"""The answers that an installation gives to all that its entry asks: checked, and secrets told apart.

Called when an entry is installed and when an installation is filled in again. Leaves out who may do it
(`control/registry/installing.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from control.credentials import dispatch
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry, bound_origin
from control.registry.fields import Answer, check_answers
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from core.egress.addresses import AddressPolicy
from core.sealing import SealBroken

_LONGEST: Final = 1_024
"""Characters of an answer that the credential's kind asks for itself."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The answers of an installation, checked, and the origin that they are given for."""

    plain: dict[str, Answer]
    secret: dict[str, str] = field(repr=False)
    """With the credential under its own name."""
    origin: str

    @property
    def secret_names(self) -> tuple[str, ...]:
        """What is shown of the secrets."""
        return tuple(sorted(self.secret))


def fill(
    entry: Entry,
    values: Mapping[str, Any],
    credential: str | None,
    policy: AddressPolicy,
    kept: Mapping[str, str] | None = None,
) -> Filled:
    """The answers to all that the entry asks, or BrokenRule. `kept`: secrets given earlier for the same origin.

    In `values`, null takes an answer away (a default then stands in).
    """
    secret_fields = {one.name for one in entry.fields if one.type == "secret"}
    earlier = kept or {}
    given = {**{name: value for name, value in earlier.items() if name in secret_fields}, **values}
    of_credential = {name: given.pop(name, None) for name in dispatch.asks(entry.credential)}
    answers = check_answers(entry.fields, given, policy)
    plain = answers.plain | {name: _checked(name, value, entry) for name, value in of_credential.items()}
    secret = {**answers.secret, **dispatch.take(entry.credential, credential, earlier, entry.name)}
    return Filled(plain, secret, bound_origin(entry.reached))


def _checked(name: str, value: Any, entry: Entry) -> str:
    """An answer that the credential's kind asks for itself; BrokenRule for none, and for one that cannot be sent."""
    if not isinstance(value, str) or not value:
        raise BrokenRule(f"values.{name}", f"is needed: {entry.name} takes the identifier of a client")
    if len(value) > _LONGEST or not value.isprintable():
        raise BrokenRule(f"values.{name}", f"must be one line of at most {_LONGEST} characters")
    return value


def still_asked(entry: Entry, installation: Installation) -> Mapping[str, Any]:
    """The plain answers that were given earlier, to what the entry still asks."""
    names = {one.name for one in entry.fields if one.type != "secret"} | set(dispatch.asks(entry.credential))
    return {name: value for name, value in installation.plain_values.items() if name in names}


def kept_of(entry: Entry, installation: Installation, seals: RowSeals) -> Mapping[str, str]:
    """The secrets that were given earlier, but only while the entry is where it was when they were given."""
    if bound_origin(entry.reached) != installation.bound_origin:
        return {}
    try:
        return seals.open_secret_values(installation.id, installation.secret_values)
    except SealBroken:
        return {}  # sealed with a key that is gone: all of them have to be given again
