"""An installation as pages show it: its state in a word, what causes it, what helps, and who can use it.

Called by the pages of installations, of an entry, and by My connections. Functions of what the store found; whose
installation serves a call is decided in `control/credentials/resolution.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, assert_never

from control.console.credential_form import kind_label
from control.console.shown_servers import ShownServer
from control.credentials.standing import Standing, StandingWord
from control.registry.account import Account
from control.registry.install_path import path_to_mend
from control.registry.installation import Installation
from control.registry.installation_states import STATE_WORDS
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner

_CURES: Final[Mapping[StandingWord, str]] = MappingProxyType(
    {
        "ready": "",
        "not_asked": "Ask the server what it offers.",
        "needs_sign_in": "Give what it asks for.",
        "needs_sign_in_again": "Give its credential or answers again.",
        "unreachable": "See whether the server runs and can be reached, then ask it again.",
        "shut_out": "Have the policy allow where it leads, or its entry moved to another environment.",
        "tools_changed": "Look at what changed on the page of its entry.",
    }
)
"""What helps on these pages, as an installation stands. Of `standing.cure` it is the same without the commands."""
_ASKS_SOMEBODY: Final = frozenset({"needs_sign_in", "needs_sign_in_again"})
SIGNS_IN: Final = frozenset({"oauth"})
"""Kinds of credentials that a person gives by signing in at the provider."""


@dataclass(frozen=True, slots=True)
class ShownInstallation:
    """An installation with what a person wants to know of it."""

    installation: Installation
    kind: str
    """Of its entry's credential."""
    standing: Standing
    """How it stands, as `control/credentials/standing.py` judges it."""
    asking: bool = False
    """Whether its server is being asked now."""
    account: Account | None = None
    """What it holds at its server's provider."""
    server: ShownServer | None = None
    """How its server does, where we run it."""

    @property
    def held_up(self) -> ShownServer | None:
        """Its server, where that is what people have to know: it is not ready, and waits for nobody's credential."""
        if self.server is None or self.needs_somebody or self.server.state.phase == "ready":
            return None
        return self.server

    @property
    def state(self) -> tuple[str, str]:
        """A word, and the tone in which it is said."""
        if self.held_up:
            return self.held_up.badge
        word = self.standing.word
        if word == "tools_changed":
            return "tools changed", "warn"
        if word == "shut_out":
            return "shut out", "bad"
        if self.signs_in and word in _ASKS_SOMEBODY:
            return word.replace("_", " ").replace("sign in", "sign-in"), "warn"
        words = STATE_WORDS[self.installation.state]
        return words.label, words.tone

    @property
    def cause(self) -> str:
        """Why it stands so; '' where there is nothing to say that the word does not."""
        if self.held_up:
            return self.held_up.cause
        return "" if self.standing.word == "not_asked" else self.standing.cause

    @property
    def cure(self) -> str:
        """What helps; '' where nothing has to be done."""
        if self.held_up:
            return self.held_up.cure
        if self.signs_in and self.needs_somebody:
            return "Sign in at the provider."
        return _CURES[self.standing.word]

    @property
    def needs_somebody(self) -> bool:
        """Whether whoever fills it in has to do something before calls go through it."""
        return self.standing.word in _ASKS_SOMEBODY

    @property
    def signs_in(self) -> bool:
        """Whether its credential comes of signing in at the provider, on the page behind `sign_in_path`."""
        return self.kind in SIGNS_IN

    @property
    def sign_in_path(self) -> str:
        """Where its person signs in at the provider."""
        return path_to_mend(self.installation)

    @property
    def account_told(self) -> str:
        """Whose account it is at the provider, in words; '' where there is none."""
        if self.account is None:
            return ""
        return self.account.account_name or "an account that the provider does not name"

    def whose(self, me: str) -> str:
        """Whose it is, in a few words, told to the person `me`."""
        return whose(self.installation.owner, self.installation.owner_name, me)

    @property
    def kind_label(self) -> str:
        """What its kind of credential is called."""
        return kind_label(self.kind)


def whose(owner: Owner, owner_name: str, me: str) -> str:
    """Whose it is, in a few words."""
    match owner:
        case Person(user_id):
            return "yours" if user_id == me else owner_name
        case TeamOwner():
            return f"the team {owner_name}"
        case Organisation():
            return "the organisation"
        case ServiceAccount():
            return f"the service account {owner_name}"
    assert_never(owner)


def who_can_use(owner: Owner, owner_name: str, me: str) -> str:
    """For whom it is chosen at gateways that resolve at call time, in one sentence."""
    match owner:
        case Person(user_id):
            return "You alone, before any other." if user_id == me else f"{owner_name} alone, before any other."
        case TeamOwner():
            return f"Members of the team {owner_name} who have none of their own, and the team's tokens."
        case Organisation():
            return "Everybody for whom there is none of their own and none of their team."
        case ServiceAccount():
            return f"The service account {owner_name} alone, before its team's and the organisation's."
    assert_never(owner)
