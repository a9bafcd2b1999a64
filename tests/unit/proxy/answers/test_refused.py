from __future__ import annotations

import json
import logging

import pytest

from core.mcp.faults import MessageFault
from core.mcp.message import Request
from core.mcp.versions import Era
from proxy.answers.refused import answer_of_refusal, challenge, faulty, internal_error
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.gateways.compiled import compiled_tool
from proxy.refusals import Refusal
from tests.fakes.callers import a_user
from tests.fakes.proxy_parts import PUBLIC_URL, exchange, gateway, tool


def called(era: Era = Era.MODERN) -> Exchange:
    x = exchange({})
    x.gateway, x.era, x.body = gateway(), era, b"{}"
    x.message = Request("id-1", "tools/call", {}, era, {})
    x.target, x.refused_as = compiled_tool(tool("t"), None), "result"
    return x


async def test_before_the_message_a_refusal_is_a_status_and_an_error_without_id(deps: Deps) -> None:
    x = exchange({})
    answer = answer_of_refusal(x, Refusal("host_unknown"), deps)
    assert (answer.status, answer.close) == (421, True)
    assert json.loads(answer.body) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {
            "code": -31421,
            "message": "This server does not serve that host name; use the public URL.",
            "data": {"request_id": x.request_id},
        },
    }
    assert deps.slots.value('archway_refusals_total{reason="host_unknown"}') == 1


async def test_a_connection_without_a_body_left_in_it_is_kept(deps: Deps) -> None:
    assert answer_of_refusal(exchange({}, method="GET"), Refusal("path_unknown"), deps).close is False
    assert answer_of_refusal(called(), Refusal("media_type"), deps).close is False


async def test_busy_says_when_to_come_back_and_405_what_is_served(deps: Deps) -> None:
    assert answer_of_refusal(exchange({}), Refusal("overloaded", retry_after=3), deps).headers["Retry-After"] == "3"
    answer = answer_of_refusal(exchange({}), Refusal("method_not_allowed", method="PUT"), deps)
    assert answer.headers["Allow"] == "GET, POST, DELETE, OPTIONS"


async def test_a_caller_who_authenticated_in_a_way_that_is_not_accepted_is_challenged_to_do_otherwise(
    deps: Deps,
) -> None:
    x = exchange({})
    x.gateway_name, x.caller = "g", a_user("ada")
    answer = answer_of_refusal(x, Refusal("way_not_accepted", way="tokens that begin with `arch_`"), deps)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == challenge(
        x, deps, ', error="invalid_token", error_description="This gateway takes no token of this kind."'
    )


@pytest.mark.parametrize("scope", [pytest.param("offline_access", id="O-13: offline_access is not in our challenge")])
async def test_the_challenge_names_the_metadata_and_an_error_only_where_a_token_was_presented(
    deps: Deps, scope: str
) -> None:
    x = exchange({})
    x.gateway_name = "g"
    bare = challenge(x, deps, "")
    assert f'resource_metadata="{PUBLIC_URL}/.well-known/oauth-protected-resource/v1/mcp/g"' in bare
    assert "error" not in bare
    presented = answer_of_refusal(x, Refusal("not_authenticated", presented=True), deps)
    assert 'error="invalid_token"' in presented.headers["WWW-Authenticate"]
    assert scope not in bare + presented.headers["WWW-Authenticate"]


async def test_an_unknown_tool_is_an_error_for_the_request(deps: Deps) -> None:
    x = called()
    answer = answer_of_refusal(x, Refusal("tool_unknown", tool="nope"), deps)
    assert answer.status == 200
    assert json.loads(answer.body)["error"] == {
        "code": -32602,
        "message": "Unknown tool: nope",
        "data": {"request_id": x.request_id},
    }
    assert json.loads(answer.body)["id"] == "id-1"


async def test_what_stops_a_call_is_a_result_for_the_model_and_for_programs(deps: Deps) -> None:
    x = called()
    refusal = Refusal("needs_sign_in", why="Connect srv first:", link="https://gw.example/connect", text="its words")
    result = json.loads(answer_of_refusal(x, refusal, deps).body)["result"]
    assert result["isError"] is True
    assert [one["text"] for one in result["content"]] == [
        "Connect srv first: https://gw.example/connect",
        "its words",
    ]
    assert result["_meta"]["archway/refusal"] == {
        "code": "needs_sign_in",
        "retryable": False,
        "request_id": x.request_id,
        "link": "https://gw.example/connect",
        "server": "srv",
    }
    assert result["resultType"] == "complete"
    assert x.status == "needs_sign_in"


async def test_where_a_method_has_no_such_results_the_same_is_an_error(deps: Deps) -> None:
    x = called()
    x.refused_as = "error"
    refusal = Refusal("needs_sign_in", why="Connect srv first:", link="https://gw.example/connect")
    said = json.loads(answer_of_refusal(x, refusal, deps).body)
    assert said["error"] == {
        "code": -31000,
        "message": "Connect srv first: https://gw.example/connect",
        "data": {
            "code": "needs_sign_in",
            "retryable": False,
            "request_id": x.request_id,
            "link": "https://gw.example/connect",
            "server": "srv",
        },
    }
    assert (said["id"], x.status) == ("id-1", "needs_sign_in")


async def test_a_link_that_the_sentence_has_already_is_not_told_twice(deps: Deps) -> None:
    link = "https://gw.example/connect"
    for why in ("Connect srv first.", f"Connect srv first: {link}"):
        result = json.loads(answer_of_refusal(called(), Refusal("needs_sign_in", why=why, link=link), deps).body)[
            "result"
        ]
        assert result["content"][0]["text"].count(link) == 1
        assert result["_meta"]["archway/refusal"]["link"] == link


async def test_the_log_says_who_was_refused_where_and_why_and_never_the_token(
    deps: Deps, caplog: pytest.LogCaptureFixture
) -> None:
    x = called()
    x.caller = a_user("ada")
    with caplog.at_level(logging.INFO):
        answer_of_refusal(x, Refusal("upstream_refused", server="srv", detail="Connect call failed"), deps)
    (line,) = caplog.records
    told = vars(line)
    assert (told["principal"], told["gateway"], told["detail"]) == ("user:ada", "g", "Connect call failed")
    assert (told["reason"], told["request_id"]) == ("upstream_refused", x.request_id)
    assert "d" * 64 not in str(told)


async def test_a_legacy_caller_gets_no_modern_field(deps: Deps) -> None:
    result = json.loads(answer_of_refusal(called(Era.LEGACY), Refusal("busy", server="srv"), deps).body)["result"]
    assert "resultType" not in result
    assert result["_meta"]["archway/refusal"]["retryable"] is True


@pytest.mark.parametrize("data", [None, {"supported": ["2026-07-28"]}])
def test_a_wrong_message_keeps_its_status_and_id_and_tells_the_requests(data: dict[str, object] | None) -> None:
    x = called()
    answer = faulty(x, MessageFault(-32602, "Wrong.", 400, 7, data))
    assert answer.status == 400
    said = json.loads(answer.body)
    assert said["id"] == 7
    assert said["error"]["data"] == (data or {}) | {"request_id": x.request_id}


def test_of_a_bug_a_caller_learns_the_request_id_and_before_its_message_is_known_with_a_500() -> None:
    x = called()
    answer = internal_error(x)
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "jsonrpc": "2.0",
        "id": "id-1",
        "error": {"code": -32603, "message": "Internal error.", "data": {"request_id": x.request_id}},
    }
    x.message = None
    answer = internal_error(x)
    assert answer.status == 500
    assert json.loads(answer.body)["id"] is None
