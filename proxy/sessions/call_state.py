"""The state of a call that was answered with a question: what a modern client sends back when it calls again.

A caller keeps it and can neither read nor change it (MCP 2026-07-28, `requestState`): it is sealed, opens for the
same principal, gateway, target and arguments alone, and for ten minutes. It says how often its caller was asked, so
that nobody is asked for ever; of a server's question, whose it was and the state that the server gave. Made by
`proxy/answers/url_elicitation.py` and `proxy/stages/pass_on_question.py`, opened by `take_answers`.
"""

import hashlib
import time
from typing import Final

import msgspec

from core.keys import KeyRing
from core.resolve import ResolvedInstallation
from core.sealing import SealBroken
from proxy.sessions.sealed_text import close_text, open_text

LIFETIME_S: Final = 600
"""As long as signing in may take; later the call is asked afresh."""
MOST_ROUNDS: Final = 10
"""Times that a modern server may ask about one call."""
LONGEST_OF_SERVER: Final = 32 << 10
"""Characters of a state that a server gives."""
LONGEST: Final = 192 << 10
"""Characters; ours are shorter, even with a server's inside that is all of wide letters."""
_PURPOSE: Final = "call-state"


class CallState(msgspec.Struct, array_like=True, frozen=True):
    """What the state of a call says that was answered with a question."""

    asked: int
    """How often its caller was asked."""
    expires: float
    place: str = ""
    """Whose server asked, as `place_of` has it; empty where the question was ours."""
    theirs: str | None = None
    """The state that the server gave; None for none."""
    suspended: str = ""
    """The call that waits for the answers; empty for none."""

    @staticmethod
    def of(asked: int, *, place: str = "", theirs: str | None = None, suspended: str = "") -> "CallState":
        """The state of a question that is asked now."""
        return CallState(asked, time.time() + LIFETIME_S, place, theirs, suspended)


def place_of(installation: ResolvedInstallation) -> str:
    """Which server a state is of, and whom it knows the caller as: the installation, the address, and the account.

    A token that was renewed is of the same account, and so is the next one of a caller whose own it is; any other
    credential that is another one makes another place, as the headers do that an admin wrote: they may name a tenant.
    """
    whose = installation.signed_in_at or bool(installation.made_for) or installation.credential_headers
    said = (installation.installation_id, installation.url, installation.fixed_headers, whose)
    return hashlib.sha256(msgspec.msgpack.encode(said)).hexdigest()


def why_not_kept(theirs: object) -> str:
    """Why the state of a server that asks cannot be kept until it is answered; empty where it can, or is none."""
    if theirs is None or (isinstance(theirs, str) and len(theirs) <= LONGEST_OF_SERVER):
        return ""
    return f"a requestState that is no text, or longer than {LONGEST_OF_SERVER} characters"


class StateBroken(ValueError):
    """A state that we did not give to this call, or too long ago."""


def close_state(ring: KeyRing, state: CallState, bound: tuple[str, ...]) -> str:
    """The state as its caller gets it; `bound`: whose call of what it is."""
    return close_text(ring, _PURPOSE, state, bound)


def open_state(ring: KeyRing, state: object, bound: tuple[str, ...]) -> CallState:
    """What a state says that its caller sends back. Raises StateBroken."""
    try:
        inside = open_text(ring, _PURPOSE, state, CallState, bound, LONGEST)
    except SealBroken as broken:
        raise StateBroken from broken
    if time.time() >= inside.expires:
        raise StateBroken
    return inside
