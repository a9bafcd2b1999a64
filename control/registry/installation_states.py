"""States of installations in words: a label with its tone, and how a sentence says it.

Called by the pages and by `usability.py`. What causes a state and what helps is in `control/credentials/standing.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from control.registry.installation import InstallationState

Tone = Literal["ok", "quiet", "warn", "bad"]


class StateWords(NamedTuple):
    """How people are told of the state of an installation."""

    label: str
    """By itself, as in a list."""
    tone: Tone
    clause: str
    """In a sentence, behind "which is"."""


STATE_WORDS: Final[Mapping[InstallationState, StateWords]] = MappingProxyType(
    {
        "ready": StateWords("ready", "ok", "ready"),
        "new": StateWords("not asked yet", "quiet", "not discovered yet"),
        "needs_sign_in": StateWords("to be filled in again", "warn", "waiting for its credential"),
        "credential_refused": StateWords("credential refused", "bad", "refused by its server for its credential"),
        "unreachable": StateWords("unreachable", "bad", "unreachable"),
    }
)
