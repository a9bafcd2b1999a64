"""Row M-10: what must never be on a gateway's header allowlist is refused when it is saved."""

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.headers import check_allowlist

MCP_NAMES = ("Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Param-Anything", "mcp-")


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("Authorization", "authorization", "AUTHORIZATION"), id="M-10: Authorization"),
        pytest.param(("Cookie", "cookie"), id="M-10: Cookie"),
        pytest.param(("Host", "host"), id="M-10: Host"),
        pytest.param(("Content-Length", "content-length", "Content_Length"), id="M-10: Content-Length"),
        pytest.param(MCP_NAMES, id="M-10: Mcp-*"),
        pytest.param(("traceparent", "Traceparent", "tracestate"), id="M-10: traceparent"),
    ],
)
def test_a_header_that_is_not_the_callers_to_write_is_refused_at_save_time(names: tuple[str, ...]) -> None:
    for name in names:
        with pytest.raises(BrokenRule) as refused:
            check_allowlist(["x-tenant", name])
        assert refused.value.field == "header_allowlist[1]"
