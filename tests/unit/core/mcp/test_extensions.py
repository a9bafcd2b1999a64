from __future__ import annotations

import pytest

from core.mcp.extensions import APPS, TASKS, declared_extensions, knows_tasks


@pytest.mark.parametrize(
    ("capabilities", "told"),
    [
        ({"extensions": {TASKS: {}, APPS: {"mimeTypes": ["a/b"]}}}, {TASKS: {}, APPS: {"mimeTypes": ["a/b"]}}),
        ({"extensions": {TASKS: {}, "com.example/other": {}}}, {TASKS: {}}),
        ({"extensions": {TASKS: True}}, {}),
        ({"extensions": [TASKS]}, {}),
        ({"elicitation": {}}, {}),
        (None, {}),
    ],
)
def test_a_server_is_told_of_extensions_that_are_known_here(capabilities: object, told: dict[str, object]) -> None:
    assert declared_extensions(capabilities) == told
    assert knows_tasks({"io.modelcontextprotocol/clientCapabilities": capabilities}) is (TASKS in told)


def test_a_client_that_declares_nothing_knows_no_tasks() -> None:
    assert not knows_tasks({})
