"""The state of a call that was answered with a question: what a modern client sends back when it calls again.

A caller keeps it and can neither read nor change it (MCP 2026-07-28, `requestState`): it is sealed, opens for the
same principal, gateway, tool and arguments alone, and for ten minutes. All that it says is how often its caller was
asked, so that nobody is asked for ever. Made by `proxy/answers/url_elicitation.py`, opened by `take_answers`.
"""

import base64
import binascii
import time
from typing import Final

import msgspec

from core.keys import KeyRing
from core.sealing import SealBroken, Sealer

LIFETIME_S: Final = 600
"""As long as signing in may take; later the call is asked afresh."""
LONGEST: Final = 512
"""Characters; ours are shorter."""
_PURPOSE: Final = "call-state"


class _Inside(msgspec.Struct, array_like=True):
    asked: int
    expires: float


class StateBroken(ValueError):
    """A state that we did not give to this call, or too long ago."""


def close_state(ring: KeyRing, asked: int, bound: tuple[str, ...]) -> str:
    """The state that says that a caller was asked so often; `bound`: whose call of what it is."""
    inside = msgspec.msgpack.encode(_Inside(asked, time.time() + LIFETIME_S))
    return base64.urlsafe_b64encode(Sealer(ring, _PURPOSE).seal(inside, *bound)).decode()


def open_state(ring: KeyRing, state: object, bound: tuple[str, ...]) -> int:
    """How often its caller was asked. Raises StateBroken."""
    if not isinstance(state, str) or len(state) > LONGEST:
        raise StateBroken
    try:
        sealed = base64.b64decode(state, altchars=b"-_", validate=True)
        inside = msgspec.msgpack.decode(Sealer(ring, _PURPOSE).open(sealed, *bound), type=_Inside)
    except (binascii.Error, ValueError, SealBroken, msgspec.MsgspecError) as broken:
        raise StateBroken from broken
    if time.time() >= inside.expires:
        raise StateBroken
    return inside.asked
