"""Which servers a worker listens to for news of their lists, and what it heard: questions of proxies, and answers.

A server that says that its tools, resources or prompts have changed says so on a stream that somebody holds open. One
worker does so for each server; control gives them out (`control/internal/watches.py`), and takes what any worker
heard, on such a stream or beside the answer to a call (`control/discovery/news.py`). Asked and told by
`proxy/upstream/watches.py` and `proxy/resolve/list_news.py`.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from core.resolve import ResolvedInstallation

MOST_HELD: Final = 100
"""Servers that one worker listens to."""
MOST_TOLD: Final = 100
"""Servers in one message of news."""
LEASE_S: Final = 30.0
"""For so long a server is a worker's that has asked. One that asks no more is taken to be gone: another has it."""
_Id: TypeAlias = Annotated[str, msgspec.Meta(max_length=64)]

ListKind = Literal["tools", "resources", "prompts"]


class WatchQuestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which servers is this worker to listen to, beside those that it has?"""

    worker: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    held: Annotated[dict[_Id, int], msgspec.Meta(max_length=MOST_HELD)] = {}
    """Those that it has: the installation's identifier, and the version of it that is used. All others of its own are
    given back by being left out."""
    room: Annotated[int, msgspec.Meta(ge=0, le=MOST_HELD)] = 0
    """How many more it takes."""
    silent: Annotated[list[_Id], msgspec.Meta(max_length=MOST_HELD)] = []
    """Those that cannot be listened to: nobody is to try for a while."""


class WatchAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has become of that: what is not named stays as it is."""

    installations: list[ResolvedInstallation] = []
    """New ones, and those that are held in an older version."""
    ended: list[str] = []
    """Those that this worker is to listen to no more."""


class HeardLists(msgspec.Struct, frozen=True):
    """News of servers' lists, as one worker heard them since it told the last time."""

    lists: Annotated[dict[_Id, set[ListKind]], msgspec.Meta(max_length=MOST_TOLD)]
    """By the identifier of the installation through which its server was heard."""


class HeardTaken(msgspec.Struct, frozen=True):
    """What control answers to that: of how many servers it takes the news."""

    taken: int = 0
