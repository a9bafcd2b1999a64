"""Browsers by their own words."""

from __future__ import annotations

import pytest

from control.console.browsers import browser_of

_CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (_CHROME, "Chrome on Linux"),
        (_CHROME.replace("X11; Linux x86_64", "Windows NT 10.0") + " Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605 Version/18 Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/150 Safari/604", "Chrome on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        ("curl/8.0", "A program"),
        ("", "A program"),
    ],
)
def test_a_browser_is_named_by_itself_and_its_system(agent: str, said: str) -> None:
    assert browser_of(agent) == said
