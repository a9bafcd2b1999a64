"""The answers that an installation gives to all that its entry asks: checked, and secrets told apart.

Called when an entry is installed and when an installation is filled in again. Leaves out the sealing and who may do
it (`control/registry/installing.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from control.credentials import dispatch
from control.registry.entry import Entry, bound_origin
from control.registry.fields import Answer, check_answers
from core.egress.addresses import AddressPolicy


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
    answers = check_answers(entry.fields, given, policy)
    secret = {**answers.secret, **dispatch.take(entry.credential, credential, earlier, entry.name)}
    return Filled(answers.plain, secret, bound_origin(entry.reached))
