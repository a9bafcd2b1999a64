"""Clients of a terminal: their commands, as a shell would read them."""

from __future__ import annotations

import json
import shlex

from control.console.connecting import terminal
from control.console.connecting.sample_call import SampleCall
from control.console.connecting.step import Target

TARGET = Target("https://mcp.example.com/v1/mcp/sales", "sales", "arch_secret")


def test_claude_code_gets_the_header_as_one_word() -> None:
    words = shlex.split(terminal.claude_code_token(TARGET)[0].code.replace("\\\n", ""))
    assert words[-2:] == ["--header", "Authorization: Bearer arch_secret"]


def test_an_address_that_a_shell_would_take_apart_is_quoted() -> None:
    odd = Target("https://mcp.example.com/v1/mcp/a?x=1&y=$HOME", "a")
    assert odd.url in shlex.split(terminal.claude_code_signed_in(odd)[0].code)


def test_what_curl_sends_is_a_message() -> None:
    words = shlex.split(terminal.curl_token(TARGET)[0].code.replace("\\\n", ""))
    message = json.loads(words[words.index("-d") + 1])
    assert (message["method"], "Authorization: Bearer arch_secret" in words) == ("tools/list", True)


def test_curl_calls_a_tool_where_there_is_one_to_try() -> None:
    to = Target(TARGET.url, "sales", "arch_secret", SampleCall("crm__find", {"name": "O'Neil"}))
    listed, called = terminal.curl_token(to)
    words = shlex.split(called.code.replace("\\\n", ""))
    message = json.loads(words[words.index("-d") + 1])
    assert (message["method"], message["params"]["name"]) == ("tools/call", "crm__find")
    assert message["params"]["arguments"] == {"name": "O'Neil"}
    assert {"Mcp-Name: crm__find", "Mcp-Method: tools/call"} <= set(words)
    assert terminal.curl_token(TARGET) == (listed,)
