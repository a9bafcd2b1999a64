"""Steps of signing in that happen at a proxy, as it tells control of them: added up, and in words that both know.

Told by `proxy/resolve/telling_steps.py` to control's internal listener, and kept by `control/internal/told_steps.py`
beside the steps that control sees itself. Nothing rests on them: they say why a client could not sign in.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

ProxyStep = Literal["challenge", "metadata", "first_call"]
MOST_TOLD: Final = 100
"""Steps in one message; control refuses to read one with more."""
LONGEST: Final = 256
"""Characters of a text in one."""
_Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=LONGEST)]


class ToldStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step, as often as it came from one network in the same way."""

    step: ProxyStep
    address: _Text = ""
    """Of one of those who took it."""
    gateway: _Text = ""
    """As it was named."""
    client: _Text = ""
    """The client's User-Agent."""
    word: _Text = ""
    """Why it was refused: a word of the proxy's table of refusals; '' where it was not."""
    why: _Text = ""
    """What was wrong with a credential, in a word."""
    principal: _Text = ""
    """Who was refused, where that is known."""
    asked: _Text = ""
    """What was asked for, in words of whoever asked."""
    times: Annotated[int, msgspec.Meta(ge=1)] = 1


class ToldSteps(msgspec.Struct, frozen=True):
    """What happened at one worker since it told the last time."""

    steps: Annotated[list[ToldStep], msgspec.Meta(max_length=MOST_TOLD)]


class StepsTaken(msgspec.Struct, frozen=True):
    """What control answers to a proxy that told it of steps of signing in: how many it took."""

    taken: int = 0
