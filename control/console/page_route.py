"""A row of the tables that say which pages there are (`routes.py`): its address, what answers, and what it needs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from control.console.visit import Visit

Answer = Callable[[Visit], Awaitable[web.StreamResponse]]
ID: Final = "[0-9a-f-]{36}"
"""The pattern of an identifier in an address."""


@dataclass(frozen=True, slots=True)
class PageRoute:
    """A page, or what one of its forms does."""

    method: str
    path: str
    answer: Answer
    needs: str
    """The operation of the admin API whose permission is needed."""
