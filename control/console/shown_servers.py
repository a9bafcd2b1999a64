"""A server that we run as pages show it: how it does in a word, why, what helps, and what it was made of.

Called by the pages of installations and by lists. Functions of what its runtime reported last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from control.registry.counted import counted
from control.registry.entry import Entry
from control.registry.idleness import Idleness
from control.registry.installation import Installation
from control.registry.installation_states import Tone
from control.registry.self_hosted import SelfHosted
from control.registry.server_causes import words_of
from control.registry.server_state import Phase, Place, ServerState, as_seen_now

PHASE_WORDS: Final[Mapping[Phase, tuple[str, Tone, str]]] = MappingProxyType(
    {
        "pending": ("waiting to start", "quiet", "It was told to start, and nothing of it runs yet."),
        "pulling": ("fetching its image", "quiet", "Its image is being fetched."),
        "starting": ("starting", "quiet", "It runs, and has not answered yet."),
        "ready": ("ready", "ok", ""),
        "degraded": ("runs as before", "warn", "It answers as it was before its latest change, which does not run."),
        "failed": ("does not run", "bad", "It is tried again by itself, less and less often."),
        "stopping": ("stopping", "quiet", "It is being ended."),
        "asleep": ("asleep", "ok", "Nobody called it for a while. The next call starts it and waits for that."),
    }
)
"""By phase, a label with its tone, and what it means."""
_PLACES: Final[Mapping[Place, str]] = MappingProxyType(
    {"process": "as a program of Archway's machine", "cluster": "in the cluster, as a Deployment of its own"}
)
_ISOLATION: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kubernetes": "a pod of its own, without rights in the cluster",
        "user": "a user of its own on that machine",
        "namespace": "a user namespace of its own on that machine",
        "none": "not at all: it can read what Archway's own user can read there",
    }
)
_ON_PAGES: Final = (
    ("`archway installations logs NAME --previous`", "the log of the run before"),
    ("`archway installations logs NAME`", "its log"),
    ("Run `archway installations sign-in NAME`", "Sign in for it"),
    ("`", ""),
)
"""What stands on pages in the place of a command."""


@dataclass(frozen=True, slots=True)
class ShownServer:
    """A server that we run, with what a person wants to know of it."""

    state: ServerState
    idleness: Idleness | None = None

    @property
    def badge(self) -> tuple[str, Tone]:
        """How it does in a word, and the tone in which it is said."""
        return PHASE_WORDS[self.state.phase][:2]

    @property
    def is_on_its_way(self) -> bool:
        """Whether it comes to another phase by itself, and soon."""
        return self.state.phase in {"pending", "pulling", "starting", "stopping"}

    @property
    def cause(self) -> str:
        """Why it is as it is, in a sentence; '' where all is well."""
        return words_of(self.state).sentence or PHASE_WORDS[self.state.phase][2]

    @property
    def cure(self) -> str:
        """What helps; '' where nothing has to be done."""
        told = words_of(self.state).cure
        for command, word in _ON_PAGES:
            told = told.replace(command, word)
        return told

    @property
    def where(self) -> str:
        """Where it runs; '' where nothing runs servers."""
        return "" if self.state.cause == "no_runtime" else _PLACES[self.state.place]

    @property
    def isolation(self) -> str:
        """How it is kept from others, in words; '' before it was started."""
        return _ISOLATION.get(self.state.isolation, self.state.isolation)

    @property
    def image(self) -> str:
        """Its image with the digest that was found for it; '' where there is none."""
        return str((self.state.resolved or {}).get("image", ""))

    @property
    def packages(self) -> list[tuple[str, str]]:
        """Names and versions of what was fetched for it at its start."""
        found = (self.state.resolved or {}).get("packages", [])
        return [(str(name), str(version)) for name, version in found]

    @property
    def ended(self) -> str:
        """How often it ended by itself, in words; '' for never."""
        return counted(self.state.restarts, "time") if self.state.restarts else ""

    @property
    def woken(self) -> str:
        """How often it was started again because it was called, in words; '' for never."""
        return counted(self.idleness.wakes, "time") if self.idleness is not None and self.idleness.wakes else ""


def shown_server(entry: Entry, installation: Installation, place: Place | None) -> ShownServer | None:
    """Its server, where we run it; None for one that runs elsewhere. `place`: where servers run here."""
    if not isinstance(entry.reached, SelfHosted):
        return None
    return ShownServer(as_seen_now(installation.id, installation.server_state, place), installation.idleness)
