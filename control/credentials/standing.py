"""How an installation stands, as a person understands it: a word, what causes it, and what helps.

Called where installations are told of: the admin API, and the console's pages. Pure: of what the store found. What a
call does with the installation is decided in `usable.py`; this says the same in words, and what discovery found last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final, Literal, assert_never

from control.credentials.cure import to_give_again
from control.credentials.lacks import WORDS, of_account
from control.registry.account import Account
from control.registry.counted import counted
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry
from control.registry.held_hosts import to_let_in, why_shut_out
from control.registry.install_path import path_to_mend
from control.registry.installation import Installation

StandingWord = Literal[
    "ready", "not_asked", "needs_sign_in", "needs_sign_in_again", "unreachable", "tools_changed", "shut_out"
]
MOST_NAMED: Final = 5
"""Tools that a cause names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an installation stands. `ready` has no cause and no cure; of `tools_changed` calls go on."""

    word: StandingWord
    cause: str = ""
    cure: str = ""


def standing_of(
    entry: Entry, installation: Installation, account: Account | None = None, changed: Sequence[str] = ()
) -> Standing:
    """How it stands. `account`: what it holds at its server's provider. `changed`: names of the entry's tools that
    are held back, or are other ones than somebody has approved.
    """
    if why := why_shut_out(entry):  # before all else: nothing that is mended of the installation lets it in
        return Standing("shut_out", f"Its calls are refused: it {why}.", to_let_in(entry))
    if isinstance(entry.credential, OAuthCredential) and (found := _signed_out(entry, installation, account)):
        return found
    again = f"`archway installations discover {quote(installation.address)}`"
    match installation.state:
        case "new":
            return Standing("not_asked", "Its server was not asked yet.", f"{again} asks it.")
        case "needs_sign_in":
            return _to_give(entry, installation, WORDS["given_again"].cause)
        case "credential_refused":
            return _to_give(entry, installation, "Its server does not take this credential.")
        case "unreachable":
            why = installation.state_reason or "Its server cannot be reached."
            return Standing("unreachable", why, f"When that is mended, {again} asks it again.")
        case "ready":
            return _ready(entry, changed)
    assert_never(installation.state)


def _signed_out(entry: Entry, installation: Installation, account: Account | None) -> Standing | None:
    """Where a person must sign in at the provider: what they can do; None where they need not."""
    cure = f"Sign in at its provider on the page `{path_to_mend(installation)}` of the console."
    lacking = of_account(entry, installation, account)
    if lacking is not None:
        word: StandingWord = "needs_sign_in" if lacking.lack == "account" else "needs_sign_in_again"
        return Standing(word, f"{lacking.cause} {lacking.details}".rstrip(), cure)
    if installation.state in {"needs_sign_in", "credential_refused"}:
        why = installation.state_reason or "Its server does not take what its provider gave."
        return Standing("needs_sign_in_again", why, cure)
    return None


def _to_give(entry: Entry, installation: Installation, otherwise: str) -> Standing:
    """A credential or an answer is missing: for the first time, or once more."""
    cure = to_give_again(entry, installation)
    # A sentence that discovery kept ends with the cure: it is told once.
    cause = installation.state_reason.removesuffix(cure).rstrip() or otherwise
    first = not installation.secret_names and installation.discovered_at is None
    return Standing("needs_sign_in" if first else "needs_sign_in_again", cause, cure)


def _ready(entry: Entry, changed: Sequence[str]) -> Standing:
    if not changed:
        return Standing("ready")
    more = len(changed) - MOST_NAMED
    names = ", ".join(changed[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return Standing(
        "tools_changed",
        f"{counted(len(changed), 'tool')} of {entry.slug} changed since somebody approved them: {names}.",
        f"See what differs with `archway entries changes {entry.slug}`, then run "
        f"`archway entries acknowledge {entry.slug} TOOL`, or put the tool into quarantine.",
    )
