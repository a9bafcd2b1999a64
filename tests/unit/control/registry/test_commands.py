"""People paste the command of a desktop client where a URL belongs; they are told what to do with it."""

import pytest

from control.registry.commands import SENTENCE, is_command, is_command_object
from tests.house.tracked import ROOT

COMMANDS = [
    "npx -y @modelcontextprotocol/server-filesystem /data",
    "npx.cmd -y mcp-server",
    "uvx mcp-server-time",
    "uv run --with mcp server.py",
    "docker run -i --rm mcp/time",
    "python -m mcp_server_time",
    "python3.12 server.py",
    "/usr/bin/python3 server.py",
    "node server.js",
    "node ./build/index.js --stdio",
    "API_KEY=x npx mcp-server",
    "env API_KEY=x uvx mcp-server",
    "stdio:mcp-server-time",
    "stdio:///usr/bin/mcp-server-time",
    "file:///opt/server/run",
    "/opt/server/run",
    "./server",
    "~/bin/server",
    r"C:\Tools\server.exe",
    "server.py",
    "mcp-server-time --local-timezone UTC",
    "mcp-server-everything stdio",
    "@modelcontextprotocol/server-filesystem",
    '{"command": "npx", "args": ["-y", "mcp-server"]}',
    '{"mcpServers": {"time": {"command": "uvx", "args": ["mcp-server-time"]}}}',
    "`npx -y mcp-server`",
    "$ uvx mcp-server-time",
    "npx",
    ".venv/bin/mcp-server-time",
    "venv/bin/server --port 1",
    "node_modules/.bin/mcp-server-everything",
    r".venv\Scripts\mcp-server-time.exe",
    "mcp-server-time",
    "crm-mcp",
    "mcp-server-time.exe",
]
NO_COMMANDS = [
    "",
    " ",
    "crm.example.com/mcp",
    "crm.example.com",
    "localhost:9000/mcp",
    "htps://crm.example.com",
    "ftp://crm.example.com",
    "https://crm .example.com/mcp",
    "http:/crm.example.com",
    "HTTPS//crm.example.com",
    "node.example.com/mcp",
    "python.example.com",
    "//crm.example.com/mcp",
    '{"url": "https://crm.example.com/mcp"}',
    "the CRM server",
    "127.0.0.1:9541/mcp",
    "crm/mcp",
    "mcp.example.com/bin",
    "mcp-server.example.com",
    "mcp-server:8000/mcp",
    "robin/mcp",
    "/",
]


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_is_seen(text):
    assert is_command(text)


@pytest.mark.parametrize("text", NO_COMMANDS)
def test_a_url_that_is_only_misspelt_is_none(text):
    assert not is_command(text)


@pytest.mark.parametrize("length", [100, 2048])
def test_a_long_text_is_judged_at_once(length):
    assert not is_command("a" * length)
    assert is_command("npx " + "a" * length)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({"command": "npx", "args": ["-y", "x"]}, True),
        ({"mcpServers": {"x": {"command": "uvx"}}}, True),
        ({"type": "stdio", "command": "x", "env": {}}, True),
        ({"url": "https://crm.example.com"}, False),
        ({}, False),
        (["npx", "-y"], False),
        (None, False),
        (5, False),
    ],
)
def test_a_clients_json_for_a_command_is_seen(value, seen):
    assert is_command_object(value) == seen


def test_the_page_that_the_sentence_names_is_there_under_that_title():
    assert "docs/administering/servers-we-run.md" in SENTENCE
    page = (ROOT / "docs/administering/servers-we-run.md").read_text()
    assert page.startswith("# Servers that Archway runs\n")
