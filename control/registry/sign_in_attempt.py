"""One step of an attempt to sign in, as it is noted: who took it, whether it worked, and if not, why and what helps.

Made where a step is taken (pages, single sign-on, the OAuth endpoints, what proxies tell); kept by
`control/records/sign_in_notes.py`; read by the admin API, the command line and the pages. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, Literal

from control.registry.network import network_of

Step = Literal["challenge", "metadata", "registered", "authorised", "token", "first_call", "signed_in", "connected"]
Outcome = Literal["ok", "failed"]


@dataclass(frozen=True, slots=True)
class StepWords:
    """What a step is called, and what happens in it."""

    name: str
    meaning: str


STEPS: Final[Mapping[Step, StepWords]] = MappingProxyType(
    {
        "challenge": StepWords("Challenge", "a client comes without a credential, and is told where to sign in"),
        "metadata": StepWords("Metadata", "the client reads where and how to sign in"),
        "registered": StepWords("Registration", "the client makes itself known, where it is not known yet"),
        "authorised": StepWords("Consent", "the client sends a person here, who lets it in"),
        "token": StepWords("Token", "the client gets what it calls with"),
        "first_call": StepWords("First call", "the client calls the gateway with it"),
        "signed_in": StepWords("Sign-in page", "a person comes in here, with a password, a link or a provider"),
        "connected": StepWords("Connection", "a person signs in at a server's provider with their own account"),
    }
)
"""The steps in the order in which a client takes them; the last two are a person's own."""
_LONGEST: Final = 512
"""Of a client's name or a sentence; some of it is what strangers sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttempt:
    """What is noted of one step of somebody who signs in, or of a client that signs them in."""

    step: Step
    client: str = ""
    """As it named itself; the short name of the identity provider, or of the entry that somebody connects."""
    gateway: str = ""
    """Its slug, or the name that it was asked for by."""
    user_id: str | None = None
    address: str = ""
    reason: str = ""
    """Why it failed, in our words; '' where it worked."""
    asked: str = ""
    """What was asked for, in words of whoever asked: to be shown as data, and never to be followed."""
    cure: str = ""
    """What helps, in our words."""

    @property
    def known(self) -> bool:
        """Whether somebody proved who they are before this was noted; a password that was wrong proves nothing."""
        return self.user_id is not None and not (self.step == "signed_in" and self.reason)

    @property
    def source(self) -> str:
        """Whose it is, where something is counted by that: the person, or the network of a stranger."""
        return self.user_id if self.known and self.user_id is not None else network_of(self.address)

    @property
    def same(self) -> str:
        """What equal attempts have in common, as a digest."""
        return sha256("\0".join(str(getattr(self, one.name)) for one in fields(NewAttempt)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(NewAttempt):
    """A step that was noted, with how often it came within an hour of the time before."""

    id: str
    at: datetime
    """The last time."""
    first_at: datetime
    times: int
    user_name: str

    @property
    def failed(self) -> bool:
        """Whether it did not work."""
        return self.reason != ""

    @property
    def name(self) -> str:
        """What the step is called."""
        return STEPS[self.step].name


def told_of_attempt(attempt: Attempt) -> dict[str, Any]:
    """All that people are told of a step, in the words of the admin API."""
    told = {one.name: getattr(attempt, one.name) for one in fields(attempt)}
    return told | {"outcome": "failed" if attempt.failed else "ok"}


def plain(attempt: NewAttempt) -> NewAttempt:
    """The step with its texts cut, and printable: some of them strangers sent."""
    return replace(
        attempt,
        client=_plain(attempt.client),
        gateway=_plain(attempt.gateway),
        address=_plain(attempt.address),
        reason=_plain(attempt.reason),
        asked=_plain(attempt.asked),
        cure=_plain(attempt.cure),
    )


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text[:_LONGEST])
