"""The answers to one list that discovery asks for, page by page, within caps on all of them together.

Made by `probe.py` for each list, handed to the conversation with the request (`Outbound.lists`), which calls `answer`
in place of what it reads calls with: a server may list anything, and neither one odd item nor a list without end may
cost more than itself. Leaves out what an item means, and when to ask for the next page.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import orjson

from core.egress.faults import UpstreamFault
from core.mcp.list_page import MAX_ITEMS, MAX_LIST_VALUES, MAX_REJECTED, NoPage, Page, read_page
from proxy.upstream.answers import (
    Json,
    answer_in,
    inflated,
    is_answer_to,
    is_stream,
    messages_of_stream,
    no_answer,
    the_answer,
    whole_body,
)
from proxy.upstream.transport import UpstreamAnswer

MAX_PAGE_BYTES: Final = 4 << 20
MAX_LIST_BYTES: Final = 8 << 20
"""Of all pages of one list; clients bear about a megabyte from a server."""
MAX_PAGES: Final = 500
"""So that `MAX_ITEMS` fit, ten to a page; the seconds of who asks end it before where a server is slow."""
_SMALL: Final = 1 << 16
"""Bytes that are read at once; more in a thread, beside the calls of this worker."""

T = TypeVar("T")
Beside = Callable[[Json], Awaitable[None]]


Ask = Callable[[str | None], Awaitable[Json | None]]
"""Asks for the page of a cursor (None: the first): the result, or None where it is more than the list may have."""


async def read_all(lists: "ListAnswers", ask: Ask) -> None:
    """Every page of a list, within its caps; a cursor that comes again ends it."""
    cursor: str | None = None
    seen: set[str] = set()
    while True:
        result = await ask(cursor)
        if result is None or not lists.take():
            return
        following = result.get("nextCursor")
        if not isinstance(following, str):
            return
        if following in seen:
            lists.ends("a cursor that came before")
            return
        if not lists.has_pages_left:
            lists.ends(f"more than {MAX_PAGES} pages")
            return
        seen.add(following)
        cursor = following


class ListAnswers:
    """Reads the pages of one list (`member` of each result), and keeps what was found."""

    def __init__(self, member: str) -> None:
        self.member = member
        self.items: list[dict[str, object]] = []
        self.rejected: list[tuple[str, str]] = []
        """The first items that cannot be kept: name, and the reason."""
        self._more_rejected = 0
        self._notes: list[tuple[str, str]] = []
        self._bytes = self._values = self._pages = 0
        self._page, self._page_bytes = Page({}), 0

    async def answer(self, response: UpstreamAnswer, request_id: int, most: int, beside: Beside) -> Json:
        """The message that answers our request for a page. Raises UpstreamFault, also beyond a cap.

        `most`: bytes that any answer may have. `beside` is called with each message that comes before the answer.
        """
        cap = min(most, MAX_PAGE_BYTES, max(1, MAX_LIST_BYTES - self._bytes))
        response = inflated(response, cap)
        if is_stream(response):
            return await self._from_stream(response, request_id, cap, beside)
        body = await whole_body(response, cap)
        if body[:256].lstrip().startswith(b"["):  # a batch, as for any answer
            body = await _beside_calls(body, lambda: orjson.dumps(answer_in(body, request_id)))
        return the_answer(await self._read(body), request_id)

    def take(self) -> bool:
        """Keep the page that was answered last; whether another may be asked for. What is beyond a cap is told."""
        page = self._page
        self._pages += 1
        self._bytes += self._page_bytes
        self._values += page.values
        room = MAX_REJECTED - len(self.rejected)
        self.rejected += page.rejected[:room]
        self._more_rejected += len(page.rejected[room:]) + page.more_rejected
        if self._values > MAX_LIST_VALUES:
            return self.ends(f"more than {MAX_LIST_VALUES} values")
        self.items += page.items
        if len(self.items) > MAX_ITEMS:
            del self.items[MAX_ITEMS:]
            return self.ends(f"more than {MAX_ITEMS} items")
        return not page.ends or self.ends(page.ends)

    @property
    def notes(self) -> list[tuple[str, str]]:
        """What to know of the whole list, each with an empty name."""
        if not self._more_rejected:
            return self._notes
        more = f"Of its list of {self.member} {self._more_rejected} more are left out, without their reasons."
        return [*self._notes, ("", more)]

    @property
    def is_begun(self) -> bool:
        """Whether a page has been kept: then a later one that is too large does not cost those before it."""
        return self._pages > 0

    @property
    def page_bytes(self) -> int:
        """Of the page that was answered last."""
        return self._page_bytes

    @property
    def has_pages_left(self) -> bool:
        """Whether one more page may be asked for."""
        return self._pages < MAX_PAGES

    def ends(self, what: str) -> bool:
        """Tell that the list goes on beyond what was read, and why; False, as there is nothing more to ask for."""
        self._notes.append(("", f"Its list of {self.member} has {what}; read were the first {len(self.items)}."))
        return False

    async def _from_stream(self, response: UpstreamAnswer, request_id: int, cap: int, beside: Beside) -> Json:
        async for message in messages_of_stream(response, cap, self._read):
            if is_answer_to(message, request_id):
                return message
            await beside(message)
        raise no_answer()

    async def _read(self, raw: bytes) -> Json:
        try:
            page = await _beside_calls(raw, lambda: read_page(raw, self.member))
        except NoPage as wrong:
            detail = f"the answer is no acceptable JSON: {wrong}"
            raise UpstreamFault("broken", sent=True, whole=True, detail=detail) from None
        if page.message.get("jsonrpc") != "2.0":
            raise UpstreamFault("broken", sent=True, whole=True, detail="the answer is no JSON-RPC message")
        self._page, self._page_bytes = page, len(raw)
        return page.message


async def _beside_calls(raw: bytes, read_it: Callable[[], T]) -> T:
    return read_it() if len(raw) <= _SMALL else await asyncio.to_thread(read_it)
