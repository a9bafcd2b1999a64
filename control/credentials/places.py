"""What a stored secret is bound to: the URL of the server, and the place in a request, that it was given for.

Of a server that we run that is image and command (with the answers in it), and the header, variable or file.

Called when an installation is filled in, which says so of its secrets; when its entry changes; and before each use.
Compared is what is so now, so that an entry that moves back finds its installations as they were. What a person gave
for `x-api-key` at one server reaches no other server and no other header, whoever changes the entry or an answer, and
however. Another path counts as another server, since one host may serve many owners, each at a path; some other
header may be one that the server writes into its log, or hands on. A secret whose place is not known is sent nowhere.
Accounts are bound to their provider besides (`control/registry/account.py`).
"""

from dataclasses import dataclass

from control.credentials import dispatch
from control.registry import account
from control.registry.entry import Entry, Remote
from control.registry.installation import Installation
from control.registry.server_url import server_place
from control.registry.targets import Target
from core.egress.addresses import ANYWHERE


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Secrets that an installation holds and that must not be sent as its entry now is."""

    names: tuple[str, ...]
    because: str
    """Behind "The installation", for everybody who may call with it."""
    details: str
    """From where to where; for whoever looks after the installation."""


def places_of(entry: Entry) -> dict[str, str]:
    """Where in a request each secret goes that the entry asks for, by the secret's name."""
    of_fields = {one.name: _written(one.target) for one in entry.fields if one.type == "secret"}
    return of_fields | dispatch.places(entry.credential)


def _written(target: Target | None) -> str:
    """A header by its name alone, as it always was; what else there is with its kind before it."""
    if target is None:
        return ""
    return target.name if target.kind == "header" else str(target)


def given_elsewhere(entry: Entry, installation: Installation, url: str) -> Elsewhere | None:
    """The installation's secrets that were given for something else than is so now; None where all fit.

    `url`: as `server_place` says it now. Secrets that the entry does not ask for are sent nowhere, and not looked at.
    """
    places = places_of(entry)
    held = tuple(name for name in sorted(places) if name in installation.secret_names)
    if held and installation.bound_url != url:
        what = "address" if isinstance(entry.reached, Remote) else "image or command"
        because = f"has secrets that were given for another {what} of this server"
        return Elsewhere(held, because, f"{installation.bound_url or installation.bound_origin}, now {url}")
    before = installation.bound_places
    moved = tuple(name for name in held if before.get(name) != places[name])
    if not moved:
        return None
    details = "; ".join(f"{name}: {before.get(name, 'not known')!r}, now {places[name]!r}" for name in moved)
    return Elsewhere(moved, "has secrets that were given to be sent in another way", details)


def account_place(entry: Entry, installation: Installation) -> str:
    """Where an account of this installation may go as its entry now is: of the server that its answers say.

    BrokenRule where the answers make no address; what `lacks.of_answers` lets pass has one.
    """
    return account.place_of(entry, server_place(entry, installation.plain_values, ANYWHERE))


def is_for(held: account.Account, entry: Entry, installation: Installation) -> bool:
    """Whether an account is of the server and the provider that the entry and the answers name now. BrokenRule as
    `account_place`.
    """
    return account.is_placed_at(held, entry, server_place(entry, installation.plain_values, ANYWHERE))
