"""An entry as a card of the registry shows it: its state in a word, how much there is of it, how one signs in.

Called by the pages of the registry. Functions of what the store found.
"""

from dataclasses import dataclass

from control.console.credential_form import kind_label
from control.registry.counted import counted
from control.registry.credential import OAuthCredential, kind_of
from control.registry.entry import Entry
from control.registry.installation_states import STATE_WORDS
from control.store.registry_counts import EntryCounts


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry with how much there is of it."""

    entry: Entry
    counts: EntryCounts

    @property
    def state(self) -> tuple[str, str]:
        """A word, and the tone in which it is said: of the installations that the person sees."""
        states = self.counts.states
        if self.counts.changed:
            return "tools changed", "warn"
        if not states:
            return "not installed", "quiet"
        if states.get("ready") == self.counts.installations:
            return STATE_WORDS["ready"][:2]
        if states.get("ready"):
            return "ready for some", "warn"
        if set(states) == {"new"}:
            return STATE_WORDS["new"][:2]
        if "needs_sign_in" in states or "new" in states:
            return "waits for a credential", "warn"
        return STATE_WORDS["unreachable" if "unreachable" in states else "credential_refused"][:2]

    @property
    def kind(self) -> str:
        """How one signs in, as it is called."""
        return kind_label(kind_of(self.entry.credential))

    @property
    def signs_in(self) -> bool:
        """Whether people sign in at its provider."""
        return isinstance(self.entry.credential, OAuthCredential)

    @property
    def numbers(self) -> str:
        """How many tools and installations, in words."""
        return f"{counted(self.counts.tools, 'tool')}, {counted(self.counts.installations, 'installation')}"

    @property
    def labels(self) -> list[tuple[str, str, str]]:
        """Of each label its name, its value, and what the filter is given for it."""
        return [(name, value, f"{name}={value}") for name, value in self.entry.labels.items()]
