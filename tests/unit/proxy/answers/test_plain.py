from __future__ import annotations

import json

import pytest

from proxy.answers.plain import PUBLIC, public_answer
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal
from tests.fakes.proxy_parts import PUBLIC_URL, Recorded, exchange, gateway, hold, proxy_parts

RESOURCE = "/.well-known/oauth-protected-resource/v1/mcp/g"


async def test_what_is_not_in_the_list_is_not_public(deps: Deps) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE", "PUT"):
        for target in ("/v1/mcp/g", "/health/", "/health?x", "//health", "/READY", "/.well-known/other", "/"):
            assert public_answer(exchange({}, method=method, target=target), deps) is None
    assert len(PUBLIC) == 5


async def test_health_and_readiness_take_any_host(deps: Deps) -> None:
    for target in ("/health", "/ready"):
        answer = public_answer(exchange({"Host": "10.1.2.3:8080"}, method="GET", target=target), deps)
        assert answer is not None
    assert public_answer(exchange({}, method="GET", target="/health"), deps).status == 200  # type: ignore[union-attr]


async def test_a_worker_is_ready_once_it_follows_changes_and_until_it_drains(deps: Deps) -> None:
    def status() -> int:
        answer = public_answer(exchange({}, method="GET", target="/ready"), deps)
        assert isinstance(answer, Answer)
        return answer.status

    assert status() == 503
    deps.follows_changes = lambda: True
    assert status() == 200
    deps.draining = True
    assert status() == 503


async def test_metadata_names_the_resource_by_the_public_url_never_by_the_host(deps: Deps) -> None:
    hold(deps, gateway(client_auth=["oauth"]))
    x = exchange({"Origin": "https://any.example"}, method="GET", target=RESOURCE)
    answer = public_answer(x, deps)
    assert isinstance(answer, Answer)
    assert json.loads(answer.body)["resource"] == f"{PUBLIC_URL}/v1/mcp/g"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_the_head_of_a_request_for_metadata_stays_as_it_came(deps: Deps) -> None:
    hold(deps, gateway(client_auth=["oauth"]))
    head = exchange({"Origin": "https://any.example"}, method="GET", target=RESOURCE).head
    head.headers = {"host": "gw.example", "origin": "https://any.example"}
    raw = list(head.raw_headers)
    for _ in range(2):  # a lane may hand the same head in again
        answer = public_answer(Exchange(head, Recorded()), deps)
        assert isinstance(answer, Answer)
        assert json.loads(answer.body)["resource"] == f"{PUBLIC_URL}/v1/mcp/g"
    assert (head.target, head.raw_headers, head.judged) == (RESOURCE, raw, None)
    assert head.headers == {"host": "gw.example", "origin": "https://any.example"}


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (exchange({"Host": "evil.example"}, method="GET", target=RESOURCE), "host_unknown"),
        (exchange({}, method="GET", target=RESOURCE + "/x"), "path_unknown"),
        (exchange({}, method="GET", target="/.well-known/oauth-protected-resource/"), "path_unknown"),
        (exchange({}, method="OPTIONS"), "method_not_allowed"),
        (exchange({"Origin": "https://evil.example"}, method="OPTIONS"), "origin_foreign"),
    ],
)
async def test_public_is_not_unjudged(deps: Deps, x: Exchange, reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        public_answer(x, deps)


async def test_a_preflight_of_a_named_origin_is_told_what_it_may() -> None:
    asked = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, mcp-param-region",
    }
    async with proxy_parts(allowed_origins=("https://app.example",)) as deps:
        answer = public_answer(exchange(asked, method="OPTIONS"), deps)
    assert isinstance(answer, Answer)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, mcp-param-region"


async def test_a_page_of_any_origin_may_ask_whether_it_may_read_where_to_sign_in(deps: Deps) -> None:
    """Clients in browsers send `MCP-Protocol-Version` with it, which needs this question."""
    asked = {
        "Origin": "https://any.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "mcp-protocol-version",
    }
    answer = public_answer(exchange(asked, method="OPTIONS", target=RESOURCE), deps)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert answer.headers["Access-Control-Allow-Methods"] == "GET"
    assert answer.headers["Access-Control-Allow-Headers"] == "mcp-protocol-version"
