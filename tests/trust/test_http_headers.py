"""Header blocks with two meanings, through a running proxy (rows H-2 to H-5, H-9 to H-11).

Each hostile request is a good one but for the one thing that its case names, so that nothing else explains the
refusal; that the good one is served stands in `test_the_request_that_the_cases_are_made_from_is_served`.
"""

import json

import pytest
from redis.asyncio import Redis

from core import redis_names
from core.records import BATCH_PURPOSE, CallRecord, read_batch
from core.sealing import Sealer
from tests.fakes.call_records import whole_records
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.raw_answers import is_refused
from tests.fakes.raw_http import Headers, RawAnswer, exchange, request_bytes
from tests.proxy.conftest import MakeRig, Rig, eventually, modern_request

GATEWAY = "/v1/mcp/g"
TENANT = ["x-tenant"]


async def send(
    rig: Rig,
    *,
    extra: Headers = (),
    instead: dict[str, str | bytes] | None = None,
    target: str | bytes = GATEWAY,
    tool: str = "echo",
) -> RawAnswer:
    """A modern call of `echo`; `extra` headers follow the usual ones, `instead` replaces or adds to them."""
    message, named = modern_request("tools/call", {"name": tool, "arguments": {}})
    usual: dict[str, str | bytes] = {
        "Host": f"127.0.0.1:{rig.port}",
        "Authorization": f"Bearer {rig.token}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        **named,
        **(instead or {}),
    }
    body = json.dumps(message).encode()
    return await exchange(rig.port, request_bytes("POST", target, [*usual.items(), *extra], body))


async def serve_echo(rig: Rig, upstream: McpUpstream) -> None:
    tool = rig.control.tool("echo", "echo", rig.control.installation(upstream.url))
    await rig.serve([tool], header_allowlist=TENANT)


async def records(rig: Rig) -> list[CallRecord]:
    """The records of calls that the proxy has sent, opened as control would."""
    sealer = Sealer(rig.control.ring, BATCH_PURPOSE)
    client: Redis = Redis.from_url(rig.redis.url, protocol=2)
    try:
        entries = await client.xrange(redis_names.RECORDS)
    finally:
        await client.aclose()
    found: list[CallRecord] = []
    for _, fields in entries:
        batch = sealer.open(fields[b"b"], fields[b"w"].decode(), fields[b"n"].decode())
        found += whole_records(read_batch(batch))
    return found


async def only_record(rig: Rig) -> CallRecord:
    async def there() -> bool:
        return len(await records(rig)) == 1

    await eventually(there)
    return (await records(rig))[0]


async def test_the_request_that_the_cases_are_made_from_is_served(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)

    answer = await send(rig, extra=[("X-Tenant", "blue")])

    assert answer.status == 200
    assert answer.json["result"].get("isError") is not True
    assert upstream.seen_of("tools/call")[0].headers["x-tenant"] == "blue"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"ad\x00min", id="H-2: NUL in a value"),
        pytest.param(b"ad\x01min", id="H-2: CTL in a value"),
        pytest.param("admín".encode(), id="H-2: byte 0x80 and above in a value"),
        pytest.param(b"adm\xffin", id="H-2: non-UTF-8 in a value"),
    ],
)
async def test_a_header_value_that_is_not_visible_ascii_is_refused(
    rig: Rig, upstream: McpUpstream, value: bytes
) -> None:
    await serve_echo(rig, upstream)

    assert is_refused(await send(rig, extra=[("X-Tenant", value)]), 400)
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("authorization", "Bearer arch_x", id="H-3: Authorization twice"),
        pytest.param("MCP-NAME", "other", id="H-3: Mcp-Name twice"),
        pytest.param("mcp-session-id", "s", id="H-3: Mcp-Session-Id twice"),
        pytest.param("content-type", "application/json", id="H-3: Content-Type twice"),
        pytest.param("ORIGIN", "http://127.0.0.1:8080", id="H-3: Origin twice"),
    ],
)
async def test_a_judged_header_that_comes_twice_is_refused(
    rig: Rig, upstream: McpUpstream, name: str, value: str
) -> None:
    await serve_echo(rig, upstream)
    once = {"Mcp-Session-Id": "s", "Origin": "http://127.0.0.1:8080"}

    answer = await send(rig, instead=dict(once), extra=[(name, value)])

    assert is_refused(answer, 400)
    if name != "content-type":  # that one aiohttp refuses before us
        assert name.lower() in answer.json["error"]["message"]
    assert upstream.seen == []
    assert (await send(rig, instead=dict(once))).status == 200  # once each, they are fine


async def test_the_first_of_two_authorizations_does_not_win_either(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)
    answer = await send(
        rig, instead={"Authorization": "Bearer arch_x"}, extra=[("Authorization", f"Bearer {rig.token}")]
    )
    assert is_refused(answer, 400)


@pytest.mark.parametrize("lowered", [pytest.param("x_forwarded_for", id="H-4: X_Forwarded_For")])
async def test_a_forwarded_for_with_underscores_says_nothing(
    make_rig: MakeRig, upstream: McpUpstream, lowered: str
) -> None:
    async with make_rig(trusted_proxies=("127.0.0.0/8",)) as rig:
        await serve_echo(rig, upstream)

        assert (await send(rig, extra=[("X_Forwarded_For", "203.0.113.9")])).status == 200

        assert (await only_record(rig)).address == "127.0.0.1"
        assert lowered not in {name.lower() for name in upstream.seen_of("tools/call")[0].headers}


@pytest.mark.parametrize("spelled", [pytest.param("MCP_NAME", id="H-4: MCP_NAME")])
async def test_a_name_header_with_underscores_is_neither_matched_nor_forwarded(
    rig: Rig, upstream: McpUpstream, spelled: str
) -> None:
    await serve_echo(rig, upstream)

    beside = await send(rig, extra=[(spelled, "other")])
    message, named = modern_request("tools/call", {"name": "echo", "arguments": {}})
    named[spelled] = named.pop("Mcp-Name")
    usual = [
        ("Host", "127.0.0.1"),
        ("Authorization", f"Bearer {rig.token}"),
        ("Content-Type", "application/json"),
        *named.items(),
    ]
    in_its_place = await exchange(rig.port, request_bytes("POST", GATEWAY, usual, json.dumps(message).encode()))

    assert beside.status == 200
    assert in_its_place.status == 400  # the real one is missing
    assert in_its_place.json["error"]["code"] == -32020
    assert len(upstream.seen_of("tools/call")) == 1
    assert "mcp_name" not in {name.lower() for name in upstream.seen_of("tools/call")[0].headers}


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        pytest.param(
            f"http://evil.example{GATEWAY}", "127.0.0.1", 421, id="H-5: absolute-form of a foreign host, Host ours"
        ),
        pytest.param(
            f"http://127.0.0.1{GATEWAY}", "evil.example", 421, id="H-5: absolute-form of our host, Host foreign"
        ),
        pytest.param(f"http://[::1{GATEWAY}", "127.0.0.1", 400, id="H-5: absolute-form that is no URL"),
    ],
)
async def test_an_absolute_target_and_host_must_be_the_same_known_host(
    rig: Rig, upstream: McpUpstream, target: str, host: str, status: int
) -> None:
    await serve_echo(rig, upstream)

    assert is_refused(await send(rig, target=target, instead={"Host": host}), status)
    assert upstream.seen == []
    agreeing = await send(rig, target=f"http://127.0.0.1{GATEWAY}", instead={"Host": "127.0.0.1"})
    assert agreeing.status == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        pytest.param(None, 200, id="H-9: Origin absent"),
        pytest.param("https://app.example", 200, id="H-9: Origin allowed"),
        pytest.param("https://evil.example", 403, id="H-9: Origin foreign"),
        pytest.param("null", 403, id="H-9: Origin null"),
        pytest.param("http://gw.evil", 403, id="H-9: Origin http://gw.evil"),
    ],
)
async def test_a_browser_may_call_only_from_an_origin_that_was_named(
    make_rig: MakeRig, upstream: McpUpstream, origin: str | None, status: int
) -> None:
    async with make_rig(allowed_origins=("https://app.example",), allowed_hosts=("gw",)) as rig:
        await serve_echo(rig, upstream)

        answer = await send(rig, instead={} if origin is None else {"Origin": origin})

        assert answer.status == status
        assert status == 200 or is_refused(answer, 403)
        named = origin if status == 200 else None
        assert answer.header("Access-Control-Allow-Origin") == named
        assert len(upstream.seen_of("tools/call")) == (status == 200)


@pytest.mark.parametrize("host", [pytest.param("evil.example", id="H-9: Host foreign")])
async def test_a_host_that_is_not_ours_is_refused(rig: Rig, upstream: McpUpstream, host: str) -> None:
    await serve_echo(rig, upstream)

    for foreign in (host, f"{host}:{rig.port}", f"127.0.0.1.{host}", "127.0.0.1.", "[::2]", "[::1"):
        assert is_refused(await send(rig, instead={"Host": foreign}), 421)
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("X-Forwarded-For", "203.0.113.9", id="H-10: X-Forwarded-For"),
        pytest.param("X-Forwarded-Host", "127.0.0.1", id="H-10: X-Forwarded-Host"),
        pytest.param("X-Forwarded-Proto", "https", id="H-10: X-Forwarded-Proto"),
        pytest.param("Forwarded", "for=203.0.113.9;host=127.0.0.1", id="H-10: Forwarded"),
        pytest.param("X-Real-IP", "203.0.113.9", id="H-10: X-Real-IP"),
        pytest.param("User-Agent", "kube-probe/1.31", id="H-10: health-check User-Agent"),
    ],
)
async def test_what_a_caller_says_of_where_it_comes_from_opens_nothing(
    rig: Rig, upstream: McpUpstream, name: str, value: str
) -> None:
    await serve_echo(rig, upstream)
    said = [(name, value)]

    assert is_refused(await send(rig, extra=said, instead={"Authorization": "Bearer arch_x"}), 401)
    assert is_refused(await send(rig, extra=said, instead={"Host": "evil.example"}), 421)
    assert (await send(rig, extra=said)).status == 200

    assert (await only_record(rig)).address == "127.0.0.1"
    seen = upstream.seen_of("tools/call")[0].headers
    assert value not in seen.values()


async def test_a_configured_proxy_is_believed_up_to_the_last_address_that_is_not_its_own(
    make_rig: MakeRig, upstream: McpUpstream
) -> None:
    async with make_rig(trusted_proxies=("127.0.0.0/8", "10.0.0.0/8")) as rig:
        await serve_echo(rig, upstream)
        assert (await send(rig, extra=[("X-Forwarded-For", "198.51.100.1, 203.0.113.9, 10.1.1.1")])).status == 200
        assert (await only_record(rig)).address == "203.0.113.9"


@pytest.mark.parametrize("named", [pytest.param("Authorization", id="H-11: Connection: Authorization")])
async def test_naming_our_headers_hop_by_hop_takes_nothing_from_them(
    rig: Rig, upstream: McpUpstream, named: str
) -> None:
    held = rig.control.installation(upstream.url, credential_headers=[("Authorization", "Bearer upstream-secret")])
    await rig.serve([rig.control.tool("echo", "echo", held)])
    hop_by_hop = [("Connection", f"{named}, Mcp-Name, Mcp-Method, Origin, Host")]

    assert is_refused(await send(rig, extra=hop_by_hop, instead={"Authorization": "Bearer arch_x"}), 401)
    assert is_refused(await send(rig, extra=[*hop_by_hop, ("Origin", "https://evil.example")]), 403)
    served = await send(rig, extra=hop_by_hop)

    assert served.status == 200
    assert upstream.seen_of("tools/call")[0].headers["authorization"] == "Bearer upstream-secret"


@pytest.mark.parametrize("name", [pytest.param("X-Tenant", id="H-11: Connection: an allow-listed header")])
async def test_a_header_named_hop_by_hop_goes_nowhere(rig: Rig, upstream: McpUpstream, name: str) -> None:
    await serve_echo(rig, upstream)

    assert (await send(rig, extra=[(name, "blue"), ("Connection", f"close, {name}")])).status == 200

    seen = upstream.seen_of("tools/call")[0].headers
    assert name.lower() not in {key.lower() for key in seen}
    assert "x-tenant" not in seen.get("connection", "").lower()
