"""Clients with a window: where a secret must not be, and what each needs beside the address."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, unquote, urlsplit

from control.console.connecting import desktop
from control.console.connecting.step import Target

TARGET = Target("https://mcp.example.com/v1/mcp/sales", "sales", "arch_secret")


def test_claude_desktop_gets_the_header_by_the_environment_so_that_no_argument_has_a_space() -> None:
    server = json.loads(desktop.claude_desktop_token(TARGET)[0].code)["mcpServers"]["sales"]
    assert not any(" " in one for one in server["args"])
    assert server["env"] == {"ARCHWAY_AUTHORIZATION": "Bearer arch_secret"}
    assert "--allow-http" not in server["args"]


def test_claude_desktop_is_allowed_plain_http_where_the_gateway_is_served_so() -> None:
    local = Target("http://127.0.0.1:8400/v1/mcp/demo", "demo")
    assert "--allow-http" in json.loads(desktop.claude_desktop_token(local)[0].code)["mcpServers"]["demo"]["args"]


def test_the_link_for_cursor_holds_the_address_and_no_secret() -> None:
    link = urlsplit(desktop.cursor_signed_in(TARGET)[0].link)
    given = parse_qs(link.query)
    assert (link.scheme, given["name"]) == ("cursor", ["sales"])
    assert json.loads(base64.b64decode(given["config"][0])) == {"url": TARGET.url}


def test_the_link_for_vs_code_holds_the_server() -> None:
    _, _, given = desktop.vs_code_signed_in(TARGET)[0].link.partition("?")
    assert json.loads(unquote(given)) == {"name": "sales", "type": "http", "url": TARGET.url}


def test_the_file_of_vs_code_has_no_secret_in_it() -> None:
    file, asked = desktop.vs_code_token(TARGET)
    assert "arch_secret" not in file.code
    assert asked.code == "arch_secret"
