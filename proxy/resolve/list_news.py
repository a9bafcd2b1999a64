"""What servers said of their lists at this worker, until control is told; control then asks what they list now.

Noted by whoever hears a server: on a stream that is open for that (`proxy/upstream/watches.py`), or beside the answer
to a call (`proxy/upstream/call_answers.py`). The first news are told at once, what comes meanwhile a moment later and
all together, so that a server which never stops costs control a few questions a second at most.
"""

import asyncio
import logging
from typing import Final, Protocol

from core.tasks import forever
from core.watches import MOST_TOLD, HeardLists, HeardTaken, ListKind
from proxy.caches.two_ages import SourceUnreachable
from proxy.resolve.control_client import ListsUnknown

log = logging.getLogger(__name__)
GAP_S: Final = 0.25
"""Between two messages."""
AGAIN_S: Final = 1.0
"""Until control is told again that could not be told."""


class IsTold(Protocol):
    """A part that tells control (`proxy/resolve/control_client.py`)."""

    async def news_of_lists(self, heard: HeardLists) -> HeardTaken:
        """Tell it. Raises SourceUnreachable, and ListsUnknown of a control that knows of no such thing."""


class ListNews:
    """The news of one worker; `note` never waits. Of more than so many servers at once, the others' are lost."""

    def __init__(self, control: IsTold) -> None:
        self._control = control
        self._lists: dict[str, set[ListKind]] = {}
        self._any = asyncio.Event()
        self.noted = 0
        """How often a server said that a list has changed."""

    def note(self, installation_id: str, kind: ListKind) -> None:
        """A server that was heard through this installation says that it lists something else now."""
        self.noted += 1
        self.compare(installation_id, kind)

    def compare(self, installation_id: str, kind: ListKind = "tools") -> None:
        """What it said of this may have been missed: as if it had said it."""
        if installation_id in self._lists or len(self._lists) < MOST_TOLD:
            self._lists.setdefault(installation_id, set()).add(kind)
            self._any.set()

    async def keep_telling(self) -> None:
        """Run until cancelled."""
        await forever("list-news", self._tell, AGAIN_S)

    async def _tell(self) -> None:
        await self._any.wait()
        self._any.clear()
        lists, self._lists = self._lists, {}
        try:
            _ = await self._control.news_of_lists(HeardLists(lists))
        except ListsUnknown:
            log.debug("control takes no news of lists")
        except SourceUnreachable:
            await asyncio.sleep(AGAIN_S)
            for installation_id, kinds in lists.items():
                for kind in kinds:
                    self.compare(installation_id, kind)
        await asyncio.sleep(GAP_S)
