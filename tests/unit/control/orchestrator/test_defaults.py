"""The defaults of servers show no key."""

from __future__ import annotations

from tests.kube.wanted_servers import DEFAULTS


def test_the_key_of_names_is_not_shown() -> None:
    assert "kkkk" not in repr(DEFAULTS)
