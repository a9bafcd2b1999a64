"""The fields of a page's forms, as a browser would send them: for tests that change a few of many and send the rest.

given = FormFields(page.text).given | {"url": "https://elsewhere.example/mcp"}

All forms of the page are read as one. Leaves out what scripts would do.
"""

from __future__ import annotations

from html.parser import HTMLParser


class FormFields(HTMLParser):
    """What a browser would send of the forms of a page that nobody has touched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.given: dict[str, str] = {}
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name, kind = found.get("name", ""), found.get("type", "text")
        if tag == "input" and name and (kind not in {"checkbox", "radio"} or "checked" in found):
            self.given[name] = found.get("value", "on")
        if tag == "select":
            self._select = name
        if tag == "option" and self._select and ("selected" in found or self._select not in self.given):
            self.given[self._select] = found.get("value", "")
        if tag == "textarea":
            self._area, self.given[name] = name, ""

    def handle_endtag(self, tag: str) -> None:
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area:
            self.given[self._area] += data
