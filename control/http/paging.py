"""Lists in pages: `?limit=&cursor=` in, `{items, next}` out.

A cursor is the key of the last row that was shown, made opaque so that nobody builds on its form. Pages are cut by
that key and not by counting, so rows that come and go meanwhile shift nothing.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from control.http.models import Model, Query
from control.http.problems import Problem, invalid
from control.store.statements import Place
from core.identifiers import is_id

MOST = 200
LONGEST_CURSOR = 2_048
"""A cursor holds a name, whose characters may have four bytes each."""
T = TypeVar("T")
R = TypeVar("R")


class PageQuery(Query):
    """The parameters of every list: how many items, and after which; a list with filters inherits them."""

    limit: Annotated[int, Field(ge=1, le=MOST, description="The most items that one answer may have.")] = 50
    cursor: Annotated[str, Field(max_length=LONGEST_CURSOR, description="`next` of the previous page.")] = ""

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than shown tells whether there is a next page."""
        return self.limit + 1

    @property
    def after(self) -> str | None:
        """The identifier to go on after; raises Problem for what is not a cursor of ours."""
        if not self.cursor:
            return None
        key = open_cursor(self.cursor)
        if not is_id(key):
            raise bad_cursor()
        return key


class NamedPageQuery(PageQuery):
    """The parameters of a list that is in the order of names."""

    @property
    def place(self) -> Place | None:
        """Where to go on; raises Problem for what is not a cursor of such a list."""
        if not self.cursor:
            return None
        identifier, space, name = open_cursor(self.cursor).partition(" ")
        if not space or not is_id(identifier) or "\0" in name:
            raise bad_cursor()
        return Place(name, identifier)


def place_key(name: str, identifier: str) -> str:
    """What `NamedPageQuery.place` reads."""
    return f"{identifier} {name}"


class Page(Model, Generic[T]):
    """One page of a list, with the cursor of the next page."""

    items: list[T]
    next: str | None = Field(description="`cursor` of the next page; null at the end.")


def page_of(rows: Sequence[R], query: PageQuery, show: Callable[[R], T], key: Callable[[R], str]) -> Page[T]:
    """The page in `rows`, read with `limit=query.fetch`; `key` is what `query.after` or `query.place` will be."""
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return Page(items=[show(row) for row in shown], next=make_cursor(key(shown[-1])) if more else None)


def make_cursor(key: str) -> str:
    """A cursor that stands for `key`."""
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()


def open_cursor(cursor: str) -> str:
    """The key in a cursor; raises Problem where it is none of ours."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = raw.decode()
    except (binascii.Error, ValueError):
        raise bad_cursor() from None
    if make_cursor(key) != cursor:
        raise bad_cursor()
    return key


def bad_cursor() -> Problem:
    """422: say where cursors come from."""
    return invalid("cursor", "is not a cursor of this list; leave it out or give `next` of the previous page")
