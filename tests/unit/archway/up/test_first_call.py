import json
import shlex

from archway.up.first_call import FirstCall

CALL = FirstCall(
    "http://127.0.0.1:8400/v1/mcp/demo", "arch_x", "time__get_current_time", {"timezone": "Europe/Paris"}
)


def test_the_command_is_one_line_that_a_shell_splits_into_curls_arguments():
    words = shlex.split(CALL.command)

    assert "\n" not in CALL.command
    assert words[0] == "curl"
    assert CALL.gateway_url in words
    assert json.loads(words[words.index("-d") + 1])["method"] == "tools/call"


def test_the_headers_say_what_the_body_says():
    body = json.loads(CALL.body)

    assert CALL.headers["Mcp-Method"] == body["method"]
    assert CALL.headers["Mcp-Name"] == body["params"]["name"]
    assert CALL.headers["MCP-Protocol-Version"] == body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"]


def test_an_argument_with_a_quote_survives_the_shell():
    call = FirstCall("http://h/", "t", "x", {"text": "it's"})

    words = shlex.split(call.command)

    assert json.loads(words[words.index("-d") + 1])["params"]["arguments"] == {"text": "it's"}


def test_the_same_call_in_our_own_words_needs_nothing_but_the_export_line():
    export, tools, call = CALL.in_our_words

    assert shlex.split(export) == [
        "export",
        "ARCHWAY_PROXY_URL=http://127.0.0.1:8400",
        "ARCHWAY_TOKEN=arch_x",
    ]
    assert shlex.split(tools)[-2:] == ["tools", "demo"]
    assert shlex.split(call)[-4:] == ["call", "demo", "time__get_current_time", "timezone=Europe/Paris"]


def test_a_gateway_that_does_not_answer_is_said():
    assert "no answer" in FirstCall("http://127.0.0.1:1/", "t", "x", {}).try_once()
