import pytest

from core.egress.header_grammar import WRITTEN_BY_CLIENTS
from core.egress.header_names import why_no_name, why_not_passed, why_not_set


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "Cookie", "Host", "Content-Length",
        "Connection", "TE", "Transfer-Encoding", "Trailer", "Upgrade", "Keep-Alive", "Proxy-Authorization",
        "Proxy-Connection", "Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "Last-Event-ID",
        "Mcp-Session-Id", "Mcp-Param-X", "MCP-Protocol-Version", "Set-Cookie", "X-Api-Key", "Tracestate", "Baggage",
        "B3", "X-B3-TraceId", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Expect", "Origin",
        "Private-Token", "X-Goog-Api-Key", "X-Goog-IAP-JWT-Assertion", "X-Amz-Security-Token", "X-Amzn-OIDC-Identity",
        "X-GitHub-Token", "X-GitLab-Token", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override",
        "X-Method-Override", "X-Client-Cert", "X-SSL-Client-Verify", "X-Envoy-Original-Path", "X-Remote-User",
        "Remote-User",
    ],
)  # fmt: skip
def test_a_callers_header_that_frames_speaks_the_protocol_or_carries_a_credential_never_goes_on(name: str) -> None:
    assert why_not_passed(name)
    assert why_not_passed(name.lower())


@pytest.mark.parametrize("name", ["content", "transfer", "accept", "mcp", "proxy", "archway"])
def test_the_bare_name_of_a_family_is_one_of_the_family(name: str) -> None:
    assert why_not_passed(name)
    assert why_not_set(name)


@pytest.mark.parametrize("name", ["x-envoy", "X-Amzn", "x-goog-iap", "x-ssl-client"])
def test_the_bare_name_of_a_family_that_says_who_calls_does_not_pass(name: str) -> None:
    assert why_not_passed(name)
    assert why_not_set(name) is None


@pytest.mark.parametrize("name", ["x-user", "X-Tenant", "x-correlation-id", "contents", "mcpx", "tea"])
def test_other_names_are_for_administrators_to_judge(name: str) -> None:
    assert why_not_passed(name) is None
    assert why_not_set(name) is None


@pytest.mark.parametrize("name", ["authorization", "private-token", "x-goog-api-key", "x-http-method-override"])
def test_what_a_caller_may_not_write_an_entry_may_still_send(name: str) -> None:
    assert why_not_passed(name)
    assert why_not_set(name) is None


@pytest.mark.parametrize("name", sorted(WRITTEN_BY_CLIENTS))
def test_what_our_clients_write_themselves_nobody_else_does(name: str) -> None:
    assert why_not_passed(name)
    assert why_not_set(name)


@pytest.mark.parametrize("name", ["x_user", "", "a b", "x-ü", "x:y", "x" * 65, "a\r\nb", ":path", "\u212a-x"])
def test_what_is_no_safe_name_goes_nowhere(name: str) -> None:
    wrong = why_no_name(name)
    assert wrong
    assert not name or name not in wrong
    assert why_not_passed(name) == why_not_set(name) == wrong
