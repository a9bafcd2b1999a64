"""What a browser complains of, kept where it is about Archway: a script that fails, what the policy forbids.

    complaints = Complaints("http://127.0.0.1:8080")
    complaints.follow(page)
    assert not complaints.told

A person's way leads over pages of others too: the callback of a client that listens on a port for a moment, the
sign-in page of a provider. What the browser misses there (a picture for the tab, asked of a program that has ended)
is no fault of Archway, and whether it is missed depends on who is faster. Used by `fixtures_browser.py`, journeys.
"""

from __future__ import annotations

from typing import Any

from playwright.async_api import ConsoleMessage, Page, WebError


class Complaints:
    """Listens to pages, and keeps what is said about these addresses; `told` may be read at any time."""

    def __init__(self, *origins: str) -> None:
        self._ours = tuple(f"{origin.rstrip('/')}/" for origin in origins)
        self.told: list[str] = []

    def follow(self, page: Page) -> None:
        """Listen to the console of this page, and to scripts that fail in it, from now on."""
        page.on("console", self._heard)
        page.context.on("weberror", self._failed)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and self._is_ours(message):
            self.told.append(f"{message.text} ({message.location['url']})")

    def _failed(self, error: WebError) -> None:
        if self._is_ours(error):
            self.told.append(str(error.error))

    def _is_ours(self, said: Any) -> bool:
        """What names no place is about the page on which it is said."""
        about: str = said.location["url"] or (said.page.url if said.page else "")
        return about.startswith(self._ours)
