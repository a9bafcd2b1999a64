"""What a person does to connect a client: a sentence, and what they copy or open for it.

The forms are filled in by `desktop.py`, `terminal.py`, `platforms.py` and `sdks.py`, one function for each client and
way. Functions of values: what they make depends on the gateway's address and name, the token, and the call to try.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from control.console.connecting.sample_call import SampleCall
from core.resolve import Way

HOLDER: Final = "arch_..."
"""Stands for the token's secret until there is one."""


@dataclass(frozen=True, slots=True)
class Target:
    """The gateway that a client is to call: its address, its name, the token if there is one, a call to try."""

    url: str
    slug: str
    secret: str = HOLDER
    """Of the token that was made a moment ago."""
    call: SampleCall | None = None
    """A call that changes nothing, to be tried at once; None where no tool is known to be of that kind."""

    @property
    def bearer(self) -> str:
        """The value of the header that carries the token."""
        return f"Bearer {self.secret}"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; with `code` something to copy, with `link` something to open."""

    says: str
    code: str = ""
    where: str = ""
    """The file or the program that the code is for."""
    link: str = ""
    opens: str = ""
    """What the link says."""


Steps = tuple[Step, ...]
Instructions = Callable[[Target], Steps]


@dataclass(frozen=True, slots=True)
class Client:
    """A client that people use, with what is to be done for each way of authenticating that it knows."""

    key: str
    label: str
    ways: Mapping[Way, Instructions]


def as_json(value: Any) -> str:
    """JSON as people write it in files."""
    return json.dumps(value, indent=2, ensure_ascii=False)
