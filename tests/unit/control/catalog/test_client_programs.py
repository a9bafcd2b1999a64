"""A client's command becomes what Archway runs, without a secret in it; what cannot is left out with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from control.catalog.client_config import Proposal, proposals

CANARY = "sk_live_51Hx9CANARY0123456789"


def only(server: Any) -> Proposal:
    (found,) = proposals({"mcpServers": {"My Server": server}})
    return found


@pytest.mark.parametrize(
    ("server", "command"),
    [
        ({"command": "npx", "args": ["-y", "some-server@1.2.3"]}, ["npx", "-y", "some-server@1.2.3"]),
        ({"command": "uvx", "args": ["some-server==1.2.3"]}, ["uvx", "some-server==1.2.3"]),
        ({"command": "/opt/homebrew/bin/npx", "args": ["a"]}, ["npx", "a"]),
        ({"command": "C:\\Program Files\\nodejs\\npx.cmd", "args": ["a"]}, ["npx", "a"]),
        ({"command": "cmd", "args": ["/c", "npx", "-y", "a"]}, ["npx", "-y", "a"]),
        ({"type": "stdio", "command": "some-server"}, ["some-server"]),
        ({"command": ["npx", "-y", "a"]}, ["npx", "-y", "a"]),
        ({"command": {"path": "npx", "args": ["a"]}}, ["npx", "a"]),
    ],
)
def test_a_command_is_what_archway_runs(server: dict[str, Any], command: list[str]) -> None:
    found = only(server)
    assert found.entry is not None, found.notes
    assert (found.entry["kind"], found.entry["url"], found.entry["slug"]) == ("self_hosted", "", "my-server")
    assert found.entry["run"] == {"transport": "stdio", "command": command, "environment": {}}


@pytest.mark.parametrize("value", [CANARY, "${API_KEY}", "<your key>", "hunter2!", "https://ann:pw@example.com", ""])
def test_a_variable_that_could_be_a_secret_is_asked_of_each_installation(value: str) -> None:
    found = only({"command": "npx", "args": ["a"], "env": {"API_KEY": value}})
    assert found.entry is not None
    assert found.entry["fields"] == [
        {"name": "api_key", "variable": "API_KEY", "title": "API_KEY", "type": "secret"}
    ]  # fmt: skip
    assert found.entry["run"]["environment"] == {}
    assert not value or value not in str(found)


def test_a_variable_that_is_no_secret_stays_the_same_for_all() -> None:
    found = only({"command": "npx", "args": ["a"], "env": {"LOG_LEVEL": "debug", "DEBUG": True}})
    assert found.entry is not None
    assert found.entry["run"]["environment"] == {"LOG_LEVEL": "debug", "DEBUG": "True"}
    assert found.entry["fields"] == []


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "ARCHWAY_URL", "no name"])
def test_a_variable_that_nobody_may_set_is_dropped_and_told(name: str) -> None:
    found = only({"command": "npx", "args": ["a@1.2.3"], "env": {name: "eu"}})
    assert found.entry is not None
    assert found.entry["run"]["environment"] == {}
    assert found.notes == [f"{name} was left out: no entry sets it."]


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ({"command": "docker", "args": ["run", "-i", "image"]}, "a client starts a container of it"),
        ({"command": "/srv/ann/server.py"}, "its program is a file of one machine"),
        ({"command": ".venv\\Scripts\\server.exe"}, "its program is a file of one machine"),
        ({"command": "npx", "args": ["a", "--api-key", "short"]}, "could hold a secret"),
        ({"command": "npx", "args": ["a", "--token=short"]}, "could hold a secret"),
        ({"command": "npx", "args": ["a", CANARY]}, "could hold a secret"),
        ({"command": "npx", "args": ["a", "postgres://ann:pw@db/x"]}, "could hold a secret"),
        ({"command": ""}, "neither a URL nor a command"),
        ({"command": "cmd"}, "neither a URL nor a command"),
        ({}, "neither a URL nor a command"),
    ],
)
def test_what_archway_cannot_run_is_left_out_with_the_reason(server: dict[str, Any], why: str) -> None:
    found = only(server)
    assert found.entry is None
    assert why in found.notes[0]
    assert CANARY not in str(found)


def test_a_package_with_digits_in_its_name_is_no_secret() -> None:
    assert only({"command": "npx", "args": ["-y", "mcp-server-neo4j-memory-graph"]}).entry is not None


def test_a_package_without_a_version_is_told() -> None:
    found = only({"command": "uvx", "args": ["some-server"]})
    assert found.notes == ["some-server names no version: it takes the newest that there is at each start."]
    assert only({"command": "uvx", "args": ["some-server==1.2.3"]}).notes == []


def test_what_is_of_one_machine_is_told() -> None:
    found = only({"command": "some-server", "args": ["/data/ann/Documents", "--fast"]})
    assert "Its argument /data/ann/Documents is a place on one machine: see what it must be here." in found.notes
    assert any("see where some-server is to come from" in note for note in found.notes)
