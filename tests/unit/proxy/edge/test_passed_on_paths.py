from __future__ import annotations

import pytest

from proxy.edge.head_rules import HeadReader
from proxy.edge.passed_on_paths import FIRST_PARTS, has_one_meaning, is_passed_on

PASSED_ON = [
    "/",
    "/?x=1",
    *(f"/{name}" for name in FIRST_PARTS),
    *(f"/{name}/x" for name in FIRST_PARTS),
    "/oauth/authorize?client_id=x&state=%20",
    "/sign-in?return_to=/my/access",
    "/token?",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/tenant",
]
OTHERS = [
    "/index.html",
    "/v1/mcp/g",
    "/v1/mcp/token",
    "/health",
    "/ready",
    "/tokens-x",
    "/tokenx",
    "/Token",
    "//token",
    "/%74oken",
    "/internal/token",
    "/api/v1/users",
    "/.well-known/oauth-protected-resource/v1/mcp/g",
    "/.well-known/other",
    "/.well-known/openid-configurationx",
    "http://gw.example/token",
    "token",
]


@pytest.mark.parametrize("target", PASSED_ON)
def test_pages_and_endpoints_of_sign_in_are_passed_on(target: str) -> None:
    assert is_passed_on(target)


@pytest.mark.parametrize("target", OTHERS)
def test_nothing_else_is(target: str) -> None:
    assert not is_passed_on(target)


@pytest.mark.parametrize("target", PASSED_ON)
def test_the_fast_lane_leaves_to_the_other_what_is_passed_on(target: str) -> None:
    reader = HeadReader()
    for method in ("GET", "POST", "DELETE"):
        assert reader.read(f"{method} {target} HTTP/1.1\r\nHost: h".encode()) is None


@pytest.mark.parametrize("target", ["/v1/mcp/token", "/tokens-x", "/tokenx", "/Token", "//token", "/api/v1/users"])
def test_the_fast_lane_keeps_what_is_not(target: str) -> None:
    whole = f"GET {target} HTTP/1.1\r\nHost: h".encode()
    assert HeadReader().read(whole) is not None
    assert all(HeadReader().may_become_plain(whole[:cut]) for cut in range(1, len(whole)))


@pytest.mark.parametrize(
    "target", ["/oauth/authorize?a=b&c=%2e%2e/../x", "/static/ab12/site.css", "/my/access", "/token"]
)
def test_a_plain_path_has_one_meaning(target: str) -> None:
    assert has_one_meaning(target)


@pytest.mark.parametrize(
    "target",
    [
        "/static/../internal/token",
        "/static/./x",
        "/static/%2e%2e/x",
        "/static/.%2E/x",
        "/static/..",
        "/static//x",
        "/static\\..\\x",
        "/token#x",
        "/token x",
        "/token\t",
        "/token\x00",
        "/tok\u00e9n",
        "",
    ],
)
def test_a_path_that_somebody_may_read_otherwise_has_not(target: str) -> None:
    assert not has_one_meaning(target)
