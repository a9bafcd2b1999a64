from core.mcp.exact_numbers import Exact
from core.mcp.versions import Era
from proxy.exchange import Exchange
from proxy.stages.choose_tool import choose_tool
from proxy.stages.compose_headers import compose_headers
from tests.fakes.call_parts import exchange, gateway, installation, parts, tool


async def composed(x: Exchange, **fields: object) -> Exchange:
    async with parts() as deps:
        choose_tool(x, deps)
        x.installation = installation(**fields)  # type: ignore[arg-type]  # fields of a Connection
        compose_headers(x, deps)
    return x


async def test_the_credential_wins_over_the_entry_and_the_entry_over_the_caller() -> None:
    x = exchange(gateway([tool()], header_allowlist=["x-a", "x-b", "x-c", "x-d"]))
    x.headers = {"x-a": "caller", "x-b": "caller", "x-c": "caller", "x-d": "hop", "x-e": "no", "connection": "X-D, y"}

    await composed(x, fixed_headers=[("X-A", "entry"), ("X-B", "entry")], credential_headers=[("X-B", "credential")])

    assert x.outbound is not None
    assert x.outbound.headers == {"x-a": "entry", "x-b": "credential", "x-c": "caller"}


SAYS = {
    "statement_headers": [("x-user", "user:1"), ("x-user-mail", "")],
    "credential_headers": [("authorization", "Bearer k")],
    "request_id_header": "x-request-id",
}
COPIES = ["x-user", "x-user-mail", "x-request-id", "x.user-mail", "x-user!mail", "x-other"]


async def test_no_copy_of_what_archway_tells_of_the_caller_goes_on_however_it_is_spelled() -> None:
    x = exchange(gateway([tool()], header_allowlist=COPIES))
    x.headers = dict.fromkeys(COPIES, "theirs")
    await composed(x, **SAYS)
    assert x.outbound is not None
    assert x.outbound.headers == {
        "authorization": "Bearer k", "x-user": "user:1", "x-request-id": x.request_id, "x-other": "theirs",
    }  # fmt: skip


async def test_each_call_tells_its_own_identifier() -> None:
    told = set()
    for _ in range(2):
        x = await composed(exchange(gateway([tool()])), **SAYS)
        assert x.outbound is not None
        assert x.outbound.headers["x-request-id"] == x.request_id
        told.add(x.request_id)
    assert len(told) == 2


async def test_a_stdio_server_or_an_entry_that_opted_out_gets_nothing_of_the_caller() -> None:
    for fields in ({"stdio": True}, {"passthrough": False}):
        x = exchange(gateway([tool(**fields)], header_allowlist=["x-a"]))
        x.headers = {"x-a": "caller"}
        await composed(x)
        assert x.outbound is not None
        assert x.outbound.headers == {}


async def test_the_message_is_for_the_upstreams_own_name() -> None:
    x = await composed(exchange(gateway([tool(upstream="real")]), arguments={"n": 1}))
    assert x.outbound is not None
    assert (x.outbound.method, x.outbound.params) == ("tools/call", {"name": "real", "arguments": {"n": 1}})


async def test_a_resource_is_read_by_its_uri() -> None:
    x = await composed(exchange(gateway([tool(upstream="x:y", kind="resource")]), arguments={"n": 1}))
    assert x.outbound is not None
    assert (x.outbound.method, x.outbound.params) == ("resources/read", {"uri": "x:y"})


async def test_of_the_callers_meta_vendor_keys_go_on_and_the_protocols_do_not() -> None:
    meta: dict[str, object] = {"com.example/x": 1, "io.modelcontextprotocol/clientInfo": {}, "progressToken": "p"}
    x = await composed(exchange(gateway([tool()]), meta=meta))
    assert x.outbound is not None
    assert x.outbound.meta == {"com.example/x": 1}
    assert x.outbound.wants_progress
    for token in ("", 0, 1 << 62, Exact("50000000000000000000")):
        x = await composed(exchange(gateway([tool()]), meta={"progressToken": token}))
        assert x.outbound is not None
        assert x.outbound.wants_progress
    assert not (await composed(exchange(gateway([tool()])))).outbound.wants_progress  # type: ignore[union-attr]  # filled


async def test_extensions_that_a_modern_caller_declares_go_on() -> None:
    known = {"io.modelcontextprotocol/tasks": {}, "io.modelcontextprotocol/ui": {"mimeTypes": ["a/b"]}}
    declared = {"extensions": {**known, "com.example/other": {}}}
    for era, told in ((Era.MODERN, known), (Era.LEGACY, {})):
        meta: dict[str, object] = {"io.modelcontextprotocol/clientCapabilities": declared}
        x = await composed(exchange(gateway([tool()]), era=era, meta=meta))
        assert x.outbound is not None
        assert x.outbound.extensions == told
