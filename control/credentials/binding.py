"""What a change of its entry makes of an installation: still good, to be discovered again, or to be filled in again.

Called with each installation of an entry in the transaction that changes the entry. A secret is bound to the origin
and the header that it was given for (`places.py`): nobody's follows the entry to another. Judged by what is so now,
not by what changed, so that an entry that moves back finds its installations as they were.
"""

from dataclasses import dataclass
from typing import Literal

from msgspec import structs

from control.credentials import dispatch
from control.credentials.lacks import of_answers
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry, Reached
from control.registry.fields import check_answers
from control.registry.installation import Installation
from control.registry.self_hosted import Resources, SelfHosted
from core.egress.addresses import AddressPolicy


@dataclass(frozen=True, slots=True)
class NewState:
    """The state that an installation gets, and the sentence for whoever looks after it."""

    state: Literal["new", "needs_sign_in"]
    reason: str


def state_after(before: Entry, after: Entry, installation: Installation, policy: AddressPolicy) -> NewState | None:
    """The new state, or None where the installation stays as it is. `before`, `after`: the entry."""
    reason = why_to_fill_again(after, installation, policy)
    if reason is not None:
        return NewState("needs_sign_in", reason)
    if is_another_server(before.reached, after.reached):
        what = "What Archway runs for it" if isinstance(after.reached, SelfHosted) else "The address of its server"
        return NewState("new", f"{what} changed; discover its tools again.")
    if installation.state == "needs_sign_in":
        return NewState("new", "It has everything again that its entry asks for; discover its tools.")
    return None


def is_another_server(before: Reached, after: Reached) -> bool:
    """Whether its tools may be others now. What a server that we run may use, and who pulls it, changes none."""
    return _without_means(before) != _without_means(after)


def _without_means(reached: Reached) -> Reached:
    if isinstance(reached, SelfHosted):
        return structs.replace(reached, resources=Resources(), pull_secrets=())
    return reached


def why_to_fill_again(entry: Entry, installation: Installation, policy: AddressPolicy) -> str | None:
    """Why a person has to give answers again, or None where all fit the entry."""
    secrets = set(installation.secret_names)
    lacking = of_answers(entry, installation, policy)
    if lacking is not None:
        told = f"It {lacking.because} ({lacking.details}); give them again."
        return told if lacking.lack == "secrets_elsewhere" else _no_longer_fit(lacking.details)
    cure = dispatch.cure(entry.credential, secrets)
    if cure is not None:
        return cure.sentence
    given = {
        one.name: "sealed" if one.type == "secret" else installation.plain_values.get(one.name)
        for one in entry.fields
        if one.type != "secret" or one.name in secrets
    }
    if missing := [name for name in dispatch.asks(entry.credential) if name not in installation.plain_values]:
        return f"Its entry asks for {missing[0]}; give it."
    try:
        check_answers(entry.fields, given, policy)
    except BrokenRule as broken:
        return _no_longer_fit(str(broken))
    return None


def _no_longer_fit(why: str) -> str:
    return f"Its answers no longer fit the entry ({why}); give them again."
