from __future__ import annotations

import pytest

from proxy.sessions.client_capabilities import bits_of, capabilities_of
from proxy.sessions.sealed import Session


def session(declared: object, version: str = "2025-11-25") -> Session:
    return Session("jti", version, bits_of(declared), 0)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({}, {}),
        (None, {}),
        ({"elicitation": {}}, {"elicitation": {}}),
        ({"elicitation": {"form": {}}}, {"elicitation": {}}),
        ({"elicitation": {"url": {}}}, {"elicitation": {"form": {}, "url": {}}}),
        ({"sampling": {"tools": {}}, "roots": {"listChanged": True}}, {"sampling": {}, "roots": {}}),
    ],
)
def test_what_a_client_declared_is_told_to_servers(declared: object, told: dict[str, object]) -> None:
    assert capabilities_of(session(declared)) == told


def test_links_are_of_the_newest_legacy_revision() -> None:
    assert capabilities_of(session({"elicitation": {"url": {}}}, "2025-06-18")) == {"elicitation": {}}
