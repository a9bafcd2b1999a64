"""Rows S-1, S-2 and S-3: no outbound URL, name or redirect reaches an address that the policy forbids.

Loopback stands in for the world: 127.0.0.2 is opened by the policy and plays the public side, 127.0.0.1 is not and
plays the inside. The S-1 cases use the policy of a fresh deployment, which opens nothing.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.egress.addresses import AddressPolicy, PublicUrl, UrlRefused, check_url, parse_networks
from core.egress.client import Egress, UpstreamFault, read_capped
from tests.fakes.own_authority import issue
from tests.fakes.scripted_names import ScriptedNames
from tests.fakes.scripted_upstream import ScriptedUpstream, ok

FRESH = AddressPolicy()
ONE_OPEN = AddressPolicy(parse_networks("127.0.0.2/32"))
INSIDE, OUTSIDE = "127.0.0.1", "127.0.0.2"


async def fetch(egress: Egress, url: str) -> bytes:
    """What stands behind a URL, as if it had been found good when it was saved."""
    async with egress.request("POST", PublicUrl(url), body=b"{}", deadline=5) as response:
        return await read_capped(response, 1024)


async def refusal(egress: Egress, url: str) -> UpstreamFault:
    with pytest.raises(UpstreamFault) as caught:
        await fetch(egress, url)
    return caught.value


def host_in_url(ip: str) -> str:
    return f"[{ip}]" if ":" in ip else ip


ADDRESSES = {
    "127.0.0.0/8": ["127.0.0.1", "127.255.255.254"],
    "::1": ["::1"],
    "0.0.0.0": ["0.0.0.0", "0.1.2.3", "::"],
    "10.0.0.0/8": ["10.0.0.1", "10.255.255.255"],
    "172.16.0.0/12": ["172.16.0.1", "172.31.255.255"],
    "192.168.0.0/16": ["192.168.0.1", "192.168.255.255"],
    "100.64.0.0/10": ["100.64.0.1", "100.127.255.255"],
    "169.254.0.0/16": ["169.254.169.254", "169.254.170.2"],
    "fd00:ec2::254": ["fd00:ec2::254"],
    "168.63.129.16": ["168.63.129.16"],
    "100.100.100.200": ["100.100.100.200"],
    "64:ff9b::/96": ["64:ff9b::a9fe:a9fe", "64:ff9b::808:808"],
    "2002::/16": ["2002:7f00:1::", "2002:808:808::1"],
    "::/96": ["::127.0.0.1", "::8.8.8.8"],
    "::ffff:0:0/96": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"],
    "fec0::/10": ["fec0::1", "feff::1"],
    "224.0.0.0/4": ["224.0.0.1", "239.255.255.255"],
}


@pytest.mark.parametrize("ips", [pytest.param(ips, id=f"S-1: {row}") for row, ips in ADDRESSES.items()])
async def test_an_inside_address_is_refused_when_saved_and_at_the_socket(ips: list[str]) -> None:
    for ip in ips:
        with pytest.raises(UrlRefused, match=r"^url: "):
            check_url(f"http://{host_in_url(ip)}/mcp", FRESH, purpose="url")
        # A literal never meets a resolver, so this is the socket's own verdict; then the same address by name.
        async with Egress(FRESH, resolver=ScriptedNames([ip])) as egress:
            for host in (host_in_url(ip), "rebound.test"):
                fault = await refusal(egress, f"http://{host}:9/mcp")
                assert (fault.reason, fault.sent) == ("forbidden_address", False), (host, fault.detail)


SHAPES = {
    "unicode digits": [
        "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "\u0661\u0662\u0667.0.0.1",
    ],
    "0x7f.1": [
        "0x7f.1",
        "0X7F.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "0",
    ],
    "localhost.": ["localhost.", "localhost", "LOCALHOST", "app.localhost", "app.localhost."],
    "trailing dots": ["127.0.0.1.", "127.0.0.1..", "127.1.", "0x7f.1.", "localhost..", "[::1]."],
}


@pytest.mark.parametrize("hosts", [pytest.param(hosts, id=f"S-1: {row}") for row, hosts in SHAPES.items()])
async def test_an_inside_address_in_another_shape_is_refused_when_saved_and_never_connected(hosts: list[str]) -> None:
    async with ScriptedUpstream([ok(b"inside")]) as inside, Egress(FRESH, resolver=ScriptedNames([INSIDE])) as egress:
        for host in hosts:
            url = f"http://{host}:{inside.port}/mcp"
            with pytest.raises(UrlRefused):
                check_url(url, FRESH, purpose="url")
            # Past the check, as a bug might let it: refused for the address, or as no URL at all.
            with pytest.raises((UpstreamFault, ValueError)) as caught:
                await fetch(egress, url)
            assert getattr(caught.value, "reason", "forbidden_address") in {"forbidden_address", "refused"}
        assert inside.connections == 0


@pytest.mark.parametrize("place", [pytest.param("url", id="S-1: place: registry URL")])
async def test_a_registry_url_is_refused_by_literal_when_saved_and_by_name_when_connected(place: str) -> None:
    with pytest.raises(UrlRefused, match=r"^url: 169.254.169.254 is link-local"):
        check_url("http://169.254.169.254/latest/meta-data", FRESH, purpose=place)
    async with ScriptedUpstream([ok(b"inside")]) as inside, Egress(FRESH, resolver=ScriptedNames([INSIDE])) as egress:
        url = check_url(f"http://mcp.example:{inside.port}/mcp", FRESH, purpose=place)
        assert (await refusal(egress, url)).reason == "forbidden_address"
        assert inside.connections == 0


@pytest.mark.parametrize("_", [pytest.param(0, id="S-2: first answer public, second private")])
async def test_a_name_that_moves_inside_is_refused_at_the_next_connection(_: int) -> None:
    names = ScriptedNames([OUTSIDE], [INSIDE])
    async with (
        ScriptedUpstream([ok(b"outside", b"Connection: close")], host=OUTSIDE) as outside,
        Egress(ONE_OPEN, resolver=names, name_seconds=0) as egress,
    ):
        assert await fetch(egress, f"http://rebound.test:{outside.port}/") == b"outside"
        assert (await refusal(egress, f"http://rebound.test:{outside.port}/")).reason == "forbidden_address"
    assert names.questions == 2


@pytest.mark.parametrize("_", [pytest.param(0, id="S-2: TTL 0")])
async def test_no_question_is_asked_between_the_verdict_and_the_connection(_: int) -> None:
    # With a time to live of zero each question may get another answer: one connection must ask exactly once.
    names = ScriptedNames([OUTSIDE], [INSIDE])
    async with ScriptedUpstream([ok(b"inside")], host=INSIDE) as inside, Egress(ONE_OPEN, resolver=names) as egress:
        fault = await refusal(egress, f"http://rebound.test:{inside.port}/")
        assert fault.reason == "refused", "nobody listens outside, and inside must not be tried instead"
        assert (names.questions, inside.connections) == (1, 0)


@pytest.mark.parametrize("_", [pytest.param(0, id="S-2: A and AAAA mixed")])
async def test_of_mixed_answers_only_the_permitted_address_is_ever_connected(_: int) -> None:
    for answer in (["::1", OUTSIDE], [OUTSIDE, "::1"], [INSIDE, "::1", OUTSIDE]):
        async with (
            ScriptedUpstream([ok(b"outside")], host=OUTSIDE) as outside,
            ScriptedUpstream([ok(b"inside")], host="::1", port=outside.port) as inside,
            Egress(ONE_OPEN, resolver=ScriptedNames(answer)) as egress,
        ):
            assert await fetch(egress, f"http://mixed.test:{outside.port}/") == b"outside"
            assert inside.connections == 0
        # With the permitted address not answering, the forbidden one is no fallback.
        async with (
            ScriptedUpstream([ok(b"inside")], host="::1", port=outside.port) as inside,
            Egress(ONE_OPEN, resolver=ScriptedNames(answer)) as egress,
        ):
            assert (await refusal(egress, f"http://mixed.test:{outside.port}/")).reason == "refused"
            assert inside.connections == 0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[ssl.SSLContext, str]]:
    """A server's TLS context and the PEM file to trust, for one host name."""
    folder = tmp_path_factory.mktemp("certificates")

    def issued(name: str) -> tuple[ssl.SSLContext, str]:
        made = issue(folder, name)
        return made.server, made.pem

    return issued


@pytest.mark.parametrize("_", [pytest.param(0, id="S-2: two host names on one IP")])
async def test_a_connection_made_for_one_name_never_serves_another_on_the_same_address(
    _: int, certificate: Callable[[str], tuple[ssl.SSLContext, str]]
) -> None:
    tls, pem = certificate("first.test")
    async with (
        ScriptedUpstream([ok(b"first")], host=OUTSIDE, tls=tls) as server,
        Egress(ONE_OPEN, ca_bundle=pem, resolver=ScriptedNames([OUTSIDE])) as egress,
    ):
        assert await fetch(egress, f"https://first.test:{server.port}/") == b"first"
        fault = await refusal(egress, f"https://second.test:{server.port}/")
        assert (fault.reason, fault.sent) == ("tls", False)
        assert await fetch(egress, f"https://first.test:{server.port}/") == b"first"
        assert len(server.requests) == 2


@asynccontextmanager
async def connect_proxy(target: tuple[str, int]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An HTTP proxy that answers CONNECT and leads every tunnel to `target`; yields its URL and what it was asked."""
    asked: list[bytes] = []
    tunnels: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.transport.abort()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tunnels.add(task)
        far: asyncio.StreamWriter | None = None
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            far_reader, far = await asyncio.open_connection(*target)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(pump(reader, far), pump(far_reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tunnels.discard(task)
            for end in (writer, far):
                if end is not None:
                    end.transport.abort()

    server = await asyncio.start_server(serve, INSIDE, 0)
    try:
        yield f"http://{INSIDE}:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        for tunnel in tunnels:
            tunnel.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)
        await server.wait_closed()


@pytest.mark.parametrize("_", [pytest.param(0, id="S-2: HTTP_PROXY set")])
async def test_a_proxy_of_the_environment_is_ignored_and_one_of_the_settings_is_obeyed(
    _: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    certificate: Callable[[str], tuple[ssl.SSLContext, str]],
) -> None:
    tls, pem = certificate("first.test")
    async with (
        ScriptedUpstream([ok(b"from the environment's proxy")]) as environment,
        ScriptedUpstream([ok(b"from our proxy")]) as ours,
        ScriptedUpstream([ok(b"direct")], host=OUTSIDE) as direct,
        ScriptedUpstream([ok(b"tunnelled")], host=OUTSIDE, tls=tls) as secure,
        connect_proxy((OUTSIDE, secure.port)) as (tunnel_url, asked),
    ):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, environment.url)
        (tmp_path / ".netrc").write_text(f"machine {OUTSIDE} login l password netrc-secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        async with Egress(ONE_OPEN) as egress:
            assert await fetch(egress, f"{direct.url}/") == b"direct"
            assert (await refusal(egress, f"{environment.url}/")).reason == "forbidden_address"
        assert b"authorization" not in direct.requests[0].lower()

        async with Egress(ONE_OPEN, proxy=ours.url) as egress:
            assert await fetch(egress, "http://somewhere.test/") == b"from our proxy"
            assert ours.requests[0].startswith(b"POST http://somewhere.test/ HTTP/1.1\r\n")

        async with Egress(ONE_OPEN, proxy=tunnel_url, ca_bundle=pem) as egress:
            assert await fetch(egress, "https://first.test/") == b"tunnelled"
            fault = await refusal(egress, "https://second.test/")
            assert (fault.reason, fault.sent) == ("tls", False)
        assert [line.split(b"\r\n")[0] for line in asked] == [
            b"CONNECT first.test:443 HTTP/1.1",
            b"CONNECT second.test:443 HTTP/1.1",
        ]
        assert len(secure.requests) == 1
        assert environment.requests == []


@pytest.mark.parametrize("_", [pytest.param(0, id="S-3: redirect to a private address")])
async def test_a_redirect_inside_is_handed_back_and_not_followed(_: int) -> None:
    async with ScriptedUpstream([ok(b"inside")], host=INSIDE) as inside:
        for target in (inside.url.encode(), b"http://169.254.169.254/latest/meta-data", b"//[::1]/"):
            answer = ok(b"", b"Location: " + target, status=b"307 Temporary Redirect")
            async with ScriptedUpstream([answer], host=OUTSIDE) as outside, Egress(ONE_OPEN) as egress:
                async with egress.request("POST", PublicUrl(f"{outside.url}/"), body=b"{}", deadline=5) as response:
                    assert response.status == 307
                assert len(outside.requests) == 1
        assert inside.connections == 0


def test_the_stand_ins_are_what_they_claim_to_be() -> None:
    assert ONE_OPEN.permits(OUTSIDE)
    assert not ONE_OPEN.permits(INSIDE)
    assert all(not FRESH.permits(ip) for ips in ADDRESSES.values() for ip in ips)
    assert all(ipaddress.ip_address(ip) for ips in ADDRESSES.values() for ip in ips)
