from typing import Any

import pytest

from control.catalog.client_config import Proposal, proposals
from control.catalog.listed import catalog
from control.registry.broken_rule import BrokenRule

URL = "https://mcp.example.com/mcp"
CANARY = "sk_live_51Hx9CANARY0123456789"


def only(server: Any) -> Proposal:
    (found,) = proposals({"mcpServers": {"My Server": server}})
    return found


def test_a_server_with_a_url_becomes_an_entry() -> None:
    found = only({"url": URL})
    assert found.entry is not None
    assert (found.entry["slug"], found.entry["name"], found.entry["url"]) == ("my-server", "My Server", URL)
    assert (found.entry["credential_model"], found.entry["fields"], found.notes) == ("none", [], [])


@pytest.mark.parametrize(
    "config",
    [
        {"mcpServers": {"a": {"url": URL}}},
        {"servers": {"a": {"type": "http", "url": URL}}, "inputs": []},
        {"context_servers": {"a": {"url": URL}}},
        {"mcp": {"servers": {"a": {"url": URL}}}},
        {"mcpServers": {"a": {"serverUrl": URL}}},
        {"mcpServers": {"a": {"httpUrl": URL}}},
    ],
    ids=["Claude and Cursor", "VS Code", "Zed", "VS Code's settings", "Windsurf", "Gemini CLI"],
)
def test_the_files_of_several_clients_are_read(config: dict[str, Any]) -> None:
    (found,) = proposals(config)
    assert found.entry is not None
    assert found.entry["url"] == URL


@pytest.mark.parametrize(
    "value", ["Bearer " + CANARY, "bearer ${input:token}", CANARY, "Basic dXNlcjpwYXNz", "Token " + CANARY]
)
def test_a_key_in_the_authorization_header_is_dropped_and_each_installation_brings_its_own(value: str) -> None:
    found = only({"url": URL, "headers": {"Authorization": value}})
    assert found.entry is not None
    style = "bearer" if value.lower().startswith("bearer") else "authorization"
    assert found.entry["credential_placement"] == {"style": style}
    assert value.rsplit(maxsplit=1)[-1] not in str(found)


@pytest.mark.parametrize(
    "value", [CANARY, "${API_KEY}", "hunter2!", "a" * 25, "{{key}}", "0123456789abcdef", "", "ä"]
)
def test_a_literal_that_could_be_a_secret_becomes_a_question_without_its_value(value: str) -> None:
    found = only({"url": URL, "headers": {"X-Api-Key": value}})
    assert found.entry is not None
    (asked,) = found.entry["fields"]
    assert (asked["name"], asked["type"], asked["header"]) == ("x_api_key", "secret", "x-api-key")
    assert "default" not in asked
    assert not value or value not in str(found)


@pytest.mark.parametrize("value", ["true", "42", "2025-06-18", "read-only", "eu", "v2"])
def test_a_word_that_is_no_secret_stays_as_the_usual_answer(value: str) -> None:
    found = only({"url": URL, "headers": {"X-Mode": value}})
    assert found.entry is not None
    assert found.entry["fields"] == [
        {"name": "x_mode", "header": "x-mode", "title": "X-Mode", "type": "string", "default": value}
    ]


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ({"command": "docker", "args": ["run", "server"], "env": {"KEY": CANARY}}, "starts a container"),
        ({"url": f"https://mcp.example.com/mcp?key={CANARY}"}, "could hold a secret"),
        ({"url": f"https://mcp.example.com/s/{CANARY}/mcp"}, "could hold a secret"),
        ({"url": f"https://user:{CANARY}@mcp.example.com/mcp"}, "a password in its URL"),
        ({"url": "javascript:alert(1)"}, "does not begin with https"),
        ({"url": "https://[broken"}, "cannot be read"),
        ({}, "neither a URL nor a command"),
    ],
)
def test_what_cannot_be_an_entry_is_left_out_with_its_reason_and_without_its_secret(
    server: dict[str, Any], why: str
) -> None:
    found = only(server)
    assert found.entry is None
    assert why in found.notes[0]
    assert CANARY not in str(found)


@pytest.mark.parametrize("url", ["https://mcp.linear.app/mcp", "https://MCP.linear.app/mcp/"])
def test_a_server_of_the_catalog_without_a_key_is_signed_in_to_as_the_catalog_says(url: str) -> None:
    (found,) = proposals({"mcpServers": {"Ours": {"url": url}}}, catalog())
    assert found.entry is not None
    assert (found.entry["name"], found.entry["slug"], found.entry["url"]) == ("Ours", "ours", url)
    assert found.entry["credential_model"] == "oauth"
    assert found.notes == ["How one signs in there is taken from the catalog."]


def test_a_server_of_the_catalog_with_a_key_keeps_the_key_that_each_brings() -> None:
    server = {"url": "https://api.githubcopilot.com/mcp/", "headers": {"Authorization": f"Bearer {CANARY}"}}
    (found,) = proposals({"mcpServers": {"GitHub": server}}, catalog())
    assert found.entry is not None
    assert found.entry["credential_model"] == "static"


def test_a_server_of_the_catalog_that_needs_a_client_is_left_out_with_the_way_to_add_it() -> None:
    (found,) = proposals({"mcpServers": {"GitHub": {"url": "https://api.githubcopilot.com/mcp/"}}}, catalog())
    assert found.entry is None
    assert "Add it from the catalog, as github" in found.notes[0]


def test_headers_that_archway_writes_itself_are_not_asked() -> None:
    found = only({"url": URL, "headers": {"Accept": "text/event-stream", "Content-Type": "application/json"}})
    assert found.entry is not None
    assert found.entry["fields"] == []


def test_an_address_of_the_old_transport_is_told() -> None:
    assert "old transport" in only({"url": "https://mcp.example.com/sse"}).notes[0]


@pytest.mark.parametrize(
    "config", [{}, {"mcpServers": {}}, {"mcpServers": []}, {"servers": {"a": "b"}}, {"url": URL}]
)
def test_a_file_without_servers_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(BrokenRule, match="config: has no servers"):
        proposals(config)


def test_a_file_with_too_many_servers_is_refused() -> None:
    with pytest.raises(BrokenRule, match="at most 100"):
        proposals({"mcpServers": {str(number): {"url": URL} for number in range(101)}})
