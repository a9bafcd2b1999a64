"""Which era a server is of, and that callers of both are served."""

import pytest

from tests.fakes.bridged import ENVELOPE, MODERN, Bridge, child


@pytest.mark.parametrize(
    ("beginning", "era"),
    [
        (("legacy",), "legacy"),
        (("modern",), "modern"),
        (("both",), "modern"),
        (("legacy", "gone-at-probe"), "legacy"),
        (("legacy", "chatty"), "legacy"),
    ],
    ids=["legacy", "modern", "both", "one that ends when it is asked for the modern era", "one that prints a banner"],
)
async def test_the_era_of_a_server_is_found_out(tmp_path, beginning, era):
    async with Bridge(child(*beginning), tmp_path) as bridge:
        await bridge.ready()

        assert (await bridge.logged("the server answers"))["era"] == era
        assert (await bridge.call("echo", text="legacy caller")).text == "legacy caller"
        assert (await bridge.call("echo", text="modern caller", modern=True)).text == "modern caller"


async def test_initialize_is_answered_by_what_a_legacy_server_said_and_sent_only_once(legacy):
    first, second = await legacy.open(), await legacy.open()

    assert first == second
    assert first["serverInfo"]["name"] == "child"
    sent = [one["method"] for one in await legacy.received()]
    assert sent[:3] == ["server/discover", "initialize", "notifications/initialized"]
    assert sent.count("initialize") == 1


async def test_initialize_is_answered_by_what_a_modern_server_said_of_itself(modern):
    result = await modern.open()

    assert [result["protocolVersion"], result["serverInfo"]["name"]] == ["2025-11-25", "child"]
    assert result["capabilities"] == {"tools": {}}


async def test_a_legacy_server_is_no_modern_one_for_who_asks(legacy):
    said = await legacy.ask("server/discover", {}, modern=True)

    assert [said.status, said.last["error"]["code"]] == [404, -32601]


async def test_a_modern_server_gets_a_modern_request_from_a_legacy_caller(modern):
    said = await modern.call("progress", token="mine")

    assert "resultType" not in said.last["result"]
    assert said.methods == ["notifications/progress"] * 2
    (sent,) = [one for one in await modern.received() if one.get("params", {}).get("name") == "progress"]
    assert sent["params"]["_meta"].items() > ENVELOPE.items()


async def test_a_legacy_server_gets_nothing_of_a_modern_callers_envelope(legacy):
    said = await legacy.call("progress", token="mine", modern=True)

    assert said.last["result"]["resultType"] == "complete"
    (sent,) = [one for one in await legacy.received() if one.get("params", {}).get("name") == "progress"]
    assert sent["params"]["_meta"].keys() == {"progressToken"}


@pytest.mark.parametrize("beginning", ["legacy", "modern"])
async def test_an_error_of_a_server_has_the_status_of_the_callers_era(tmp_path, beginning):
    async with Bridge(child(beginning), tmp_path) as bridge:
        await bridge.ready()

        modern = await bridge.ask("prompts/list", {}, modern=True)
        legacy = await bridge.ask("prompts/list", {})

        assert [modern.status, legacy.status] == [404, 200]
        assert modern.last["error"] == legacy.last["error"] == {"code": -32601, "message": "no prompts/list"}


async def test_a_modern_caller_whose_headers_say_something_else_is_refused(modern):
    params = {"name": "echo", "arguments": {}, "_meta": ENVELOPE}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}

    said = await modern.post(body, {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"})

    assert [said.status, said.last["error"]["code"]] == [400, -32020]
