"""The outbound client against real sockets on loopback: what it sends, what it hands back, what it forgets."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.egress.addresses import AddressPolicy, PublicUrl
from core.egress.client import Egress, UpstreamFault, read_capped, tls_context
from core.egress.header_grammar import WRITTEN_BY_CLIENTS
from tests.fakes.outbound_calls import CAP, LOOPBACK, fault_of, post
from tests.fakes.own_authority import issue
from tests.fakes.scripted_upstream import CLOSE, HANG, ScriptedUpstream, head, ok
from tests.plugins.moved_clock import MovedClock


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress(LOOPBACK) as client:
        yield client


async def test_a_request_and_its_answer_pass(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"hello", b"X-One: 1")]) as upstream:
        async with post(egress, upstream.url, {"X-Api-Key": "k", "Content-Type": "application/json"}) as response:
            assert (response.status, response.headers["X-One"]) == (200, "1")
            assert await read_capped(response, CAP) == b"hello"
        sent = upstream.requests[0]
    assert sent.startswith(b"POST /mcp HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n{}")
    assert b"\r\nX-Api-Key: k\r\n" in sent
    assert b"\r\nAccept-Encoding: identity\r\n" in sent


async def test_the_path_and_query_are_sent_as_they_were_checked(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"")]) as upstream:
        url = PublicUrl(upstream.url + "/a%2Fb/%7e//c;d?x=%20+&y='")
        async with egress.request("GET", url, deadline=5):
            pass
        assert upstream.requests[0].startswith(b"GET /a%2Fb/%7e//c;d?x=%20+&y=' HTTP/1.1\r\n")


async def test_the_deadline_covers_the_callers_reading_and_is_kept(egress: Egress, clock: MovedClock) -> None:
    drip: list[bytes | float] = [head(b"Content-Length: 9999"), *([b"a", 0.02] * 3000)]
    async with ScriptedUpstream(drip) as upstream, asyncio.TaskGroup() as tasks:
        call = tasks.create_task(fault_of(egress, upstream.url, deadline=100))
        await upstream.seen(1)
        clock.pass_by(60)
        await asyncio.sleep(0.1)
        assert not call.done()
        clock.pass_by(40)
        assert (await call).reason == "slow"


async def test_silence_is_bounded_separately_from_the_deadline(egress: Egress) -> None:
    async with ScriptedUpstream([head(b"Content-Length: 5"), b"a", HANG]) as upstream:
        fault = await fault_of(egress, upstream.url, deadline=60, silence=0.1)
        assert (fault.reason, fault.sent) == ("slow", True)


async def test_a_get_is_not_sent_again_behind_our_back(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"")], [CLOSE], [ok(b"")]) as upstream:
        async with egress.request("GET", PublicUrl(upstream.url + "/"), deadline=5):
            pass
        with pytest.raises(UpstreamFault):
            async with egress.request("GET", PublicUrl(upstream.url + "/"), deadline=5):
                pass
        assert len(upstream.requests) == 2


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"])
async def test_a_redirect_comes_back_unfollowed_and_takes_no_credential_along(egress: Egress, status: bytes) -> None:
    async with ScriptedUpstream([ok(b"")], host="127.0.0.2") as elsewhere:
        location = b"Location: " + elsewhere.url.encode()
        async with ScriptedUpstream([ok(b"", location, status=status)]) as upstream:
            for _ in range(2):
                async with post(egress, upstream.url, {"X-Api-Key": "secret"}) as response:
                    assert response.status == int(status[:3])
            assert upstream.connections == 2
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Tenant": "adm\udcffin"},
        {"X-Tenant": "caf\u00e9"},
        {"X-Tenant": "a\r\nX-Other: b"},
        {"X-Tenant": "a\x00"},
        {"X Tenant": "a"},
        {"": "a"},
        *({name.title(): "1"} for name in sorted(WRITTEN_BY_CLIENTS)),
    ],
    ids=lambda headers: next(iter(headers)) + "=" + ascii(next(iter(headers.values()))),
)
async def test_a_header_that_would_arrive_changed_or_change_the_framing_is_not_sent(
    egress: Egress, headers: dict[str, str]
) -> None:
    async with ScriptedUpstream([ok(b"")]) as upstream:
        with pytest.raises(ValueError, match="header"):
            async with post(egress, upstream.url, headers):
                pass
        assert upstream.connections == 0


def test_the_systems_roots_are_read_once_and_a_bundle_of_ones_own_is_believed_only_where_it_was_given(
    tmp_path: Path,
) -> None:
    own = issue(tmp_path, "first.test").pem
    assert tls_context(None) is tls_context(None)
    assert _subjects(tls_context(own)) - _subjects(tls_context(None)) == {"first.test"}


async def test_a_missing_ca_bundle_is_named_at_start(tmp_path: object) -> None:
    with pytest.raises(ValueError, match="ARCHWAY_CA_BUNDLE"):
        Egress(LOOPBACK, ca_bundle=f"{tmp_path}/none.pem")


@pytest.mark.parametrize(
    "proxy", ["pw@proxy:3128", "socks5://u:pw@proxy:1080", "http://u:pw@/", "http://u:pw@x:port/"]
)
async def test_a_proxy_address_that_cannot_be_used_is_named_at_start_without_its_password(proxy: str) -> None:
    with pytest.raises(ValueError, match="HTTPS_PROXY") as caught:
        Egress(LOOPBACK, proxy=proxy)
    assert "pw" not in str(caught.value)


async def test_a_proxy_does_not_open_addresses_that_a_url_shows() -> None:
    async with ScriptedUpstream([ok(b"")]) as proxy, Egress(AddressPolicy(), proxy=proxy.url) as egress:
        for host in ("127.0.0.1", "[::1]", "localhost", "0x7f.1", "169.254.169.254"):
            fault = await fault_of(egress, f"http://{host}")
            assert (fault.reason, fault.sent) == ("forbidden_address", False)
        assert proxy.requests == []


def _subjects(context: ssl.SSLContext) -> set[str]:
    """The common names of all that it believes."""
    parts = (part for one in context.get_ca_certs() for names in one["subject"] for part in names)
    return {value for name, value in parts if name == "commonName"}
