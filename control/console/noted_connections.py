"""Notes how people's sign-ins at the providers of servers went, where an admin looks for what went wrong.

Called by the install pages. The notes are like those of every other step of signing in
(`control/records/sign_in_notes.py`): on the page *Sign-ins*, by the API and by `archway sign-ins`; a person sees
their own.
"""

from typing import Final

from control.accounts.sign_in_failed import SignInFailed
from control.console.visit import Visit
from control.http.client_address import client_address
from control.registry.entry import Entry
from control.registry.sign_in_attempt import NewAttempt
from control.registry.sign_in_cures import look_at_provider

_OF_THE_PERSON: Final = frozenset({"denied", "state", "late", "other_browser", "replay"})
"""Ways to fail that no setting of the entry mends."""


async def note_connected(visit: Visit, entry: Entry) -> None:
    """The person connected an account."""
    await _note(visit, entry.slug)


async def note_failed(visit: Visit, why: SignInFailed) -> None:
    """What came back from the provider was no account. `why` names the entry where that is known."""
    cure = why.cure
    if why.entry and why.why not in _OF_THE_PERSON:
        cure = f"{cure} {look_at_provider(why.entry)}"
    await _note(visit, why.entry, why.cause, cure)


async def note_not_begun(visit: Visit, entry: Entry, cannot: Exception) -> None:
    """The person could not be sent to the provider, for the reason that `cannot` says."""
    await _note(visit, entry.slug, f"{entry.name}: {cannot}.", look_at_provider(entry.slug))


async def _note(visit: Visit, entry: str, reason: str = "", cure: str = "") -> None:
    attempt = NewAttempt(
        step="connected",
        client=entry,
        user_id=visit.caller.user_id,
        address=client_address(visit.request),
        reason=reason,
        cure=cure,
    )
    await visit.deps.sign_ins.note(attempt)
