"""The answers that an installation gives to all that its entry asks: checked, and secrets told apart.

Called when an entry is installed and when an installation is filled in again. Leaves out who may do it
(`control/registry/installing.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from control.credentials import dispatch
from control.credentials.places import given_elsewhere, places_of
from control.registry.broken_rule import BrokenRule
from control.registry.credential import CREDENTIAL
from control.registry.entry import Entry
from control.registry.fields import Answer, check_answers
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from control.registry.server_url import origin_at, server_place
from core.egress.addresses import AddressPolicy
from core.sealing import SealBroken

_LONGEST: Final = 1_024
"""Characters of an answer that the credential's kind asks for itself."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The answers of an installation, checked, and what they are given for."""

    plain: dict[str, Answer]
    secret: dict[str, str] = field(repr=False)
    """With the credential under its own name."""
    url: str
    """Of the server that they are given for; of one that we run, what runs."""
    origin: str
    """Of that URL."""
    places: dict[str, str]
    """Where in a request each secret goes, by its name."""

    @property
    def secret_names(self) -> tuple[str, ...]:
        """What is shown of the secrets."""
        return tuple(sorted(self.secret))


@dataclass(frozen=True, slots=True)
class Kept:
    """Secrets that were given earlier: those that may be sent as before, and why others may not."""

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    why_not: str = ""
    """Behind "It", for whoever must give the others again; '' where there are none."""
    others: tuple[str, ...] = ()


def fill(
    entry: Entry,
    values: Mapping[str, Any],
    credential: str | None,
    policy: AddressPolicy,
    kept: Kept | None = None,
) -> Filled:
    """The answers to all that the entry asks, or BrokenRule. `kept`: secrets given earlier for the same places.

    In `values`, null takes an answer away (a default then stands in).
    """
    url = server_place(entry, values, policy)
    secret_fields = {one.name for one in entry.fields if one.type == "secret"}
    kept = kept or Kept()
    given = {**{name: value for name, value in kept.secrets.items() if name in secret_fields}, **values}
    of_credential = {name: given.pop(name, None) for name in dispatch.asks(entry.credential)}
    try:
        answers = check_answers(entry.fields, given, policy)
        plain = answers.plain | {name: _checked(name, value, entry) for name, value in of_credential.items()}
        secret = {**answers.secret, **dispatch.take(entry.credential, credential, kept.secrets, entry.name)}
    except BrokenRule as broken:
        raise _with_cause(broken, kept, given, credential) from None
    places = {name: place for name, place in places_of(entry).items() if name in secret}
    return Filled(plain, secret, url, origin_at(entry, url), places)


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


def kept_of(
    entry: Entry, installation: Installation, seals: RowSeals, values: Mapping[str, Any], policy: AddressPolicy
) -> Kept:
    """The secrets that were given earlier and may be sent where they would go with these `values`; BrokenRule for
    values that make no address.
    """
    elsewhere = given_elsewhere(entry, installation, server_place(entry, values, policy))
    try:
        opened = seals.open_secret_values(installation.id, installation.secret_values)
    except SealBroken:
        return Kept()  # sealed with a key that is gone: all of them have to be given again
    if elsewhere is None:
        return Kept(opened)
    fitting = {name: value for name, value in opened.items() if name not in elsewhere.names}
    return Kept(fitting, f"{elsewhere.because} ({elsewhere.details})", elsewhere.names)


def _with_cause(broken: BrokenRule, kept: Kept, given: Mapping[str, Any], credential: str | None) -> BrokenRule:
    """Why a secret is missing that somebody has given already, where that is what is wrong."""
    name = broken.field.removeprefix("values.")
    missing = given.get(name) is None if name != CREDENTIAL else credential is None
    if name not in kept.others or not missing:
        return broken
    return BrokenRule(broken.field, f"is needed again: this installation {kept.why_not}")
