"""What comes to the public URL for people and for the authorization server, passed on to control and back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from core.internal_call import InternalCalls
from core.passed_on import PROOF, CameFrom, came_from
from proxy.edge import passing_on
from proxy.edge.passing_on import MOST_BODY
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.overload import overloaded
from tests.fakes.people_pages import Asked, Page, PeoplePages
from tests.fakes.raw_http import exchange, request_bytes
from tests.proxy.conftest import MakeRig, Rig, eventually

HOST = ("Host", "127.0.0.1")


@pytest.fixture
async def pages() -> AsyncIterator[PeoplePages]:
    async with PeoplePages() as listener:
        listener.on("/sign-in", Page())
        yield listener


@pytest.fixture
async def door(make_rig: MakeRig, pages: PeoplePages) -> AsyncIterator[Rig]:
    """A proxy that passes on to these pages."""
    async with make_rig(control_public_url=(pages.url,)) as rig:
        yield rig


def base(rig: Rig) -> str:
    return f"http://127.0.0.1:{rig.port}"


def said_by_proxy(rig: Rig, asked: Asked) -> CameFrom | None:
    calls = InternalCalls(rig.control.ring, caller="proxy", answerer="control")
    return came_from(calls, asked.headers, asked.method, asked.target)


async def test_a_page_comes_as_control_has_it(door: Rig, pages: PeoplePages) -> None:
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Set-Cookie", "a=1; HttpOnly"), ("Set-Cookie", "b=2"),
               ("Content-Security-Policy", "default-src 'self'"), ("Cache-Control", "no-store")]  # fmt: skip
    pages.on("/sign-in", Page(body="sch\u00f6n".encode(), headers=headers))
    answer = await exchange(door.port, request_bytes("GET", "/sign-in?return_to=/my/access&x=%2F", [HOST]))

    assert (answer.status, answer.body.decode()) == (200, "sch\u00f6n")
    assert [value for name, value in answer.headers if name == "Set-Cookie"] == ["a=1; HttpOnly", "b=2"]
    assert answer.header("Content-Security-Policy") == "default-src 'self'"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Server") == "archway"
    assert len(pages.asked) == 1
    assert pages.asked[0].target == "/sign-in?return_to=/my/access&x=%2F"


async def test_control_learns_where_a_request_came_from_and_believes_nobody_else(
    door: Rig, pages: PeoplePages
) -> None:
    lies = [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"), ("Forwarded", "for=203.0.113.9"),
            ("X-Real-IP", "203.0.113.9"), (PROOF, "Archway-Internal x"), ("X-Request-Id", "mine")]  # fmt: skip
    answer = await exchange(door.port, request_bytes("GET", "/sign-in", [HOST, *lies]))
    (asked,) = pages.asked
    said = said_by_proxy(door, asked)
    assert said == CameFrom("127.0.0.1", "127.0.0.1", "http", answer.header("X-Request-Id") or "")
    assert "203.0.113.9" not in str(asked.headers)
    assert asked.headers["Host"] == "127.0.0.1"  # as the client wrote it: control judges it, too


async def test_behind_a_reverse_proxy_that_is_trusted_the_address_is_the_clients(
    make_rig: MakeRig, pages: PeoplePages
) -> None:
    async with make_rig(control_public_url=(pages.url,), trusted_proxies=("127.0.0.0/8",)) as rig:
        await exchange(rig.port, request_bytes("GET", "/sign-in", [HOST, ("X-Forwarded-For", "203.0.113.9")]))
        said = said_by_proxy(rig, pages.asked[0])
    assert said is not None
    assert said.address == "203.0.113.9"


async def test_a_form_and_a_clients_credential_reach_control_and_headers_of_one_hop_do_not(
    door: Rig, pages: PeoplePages
) -> None:
    pages.on("/oauth/token", Page(400, b'{"error":"invalid_grant"}', [("Content-Type", "application/json"),
                                                                      ("WWW-Authenticate", "Basic")]))  # fmt: skip
    headers = [
        HOST, ("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"),
        ("Cookie", "__Host-archway=x"), ("Origin", "https://any.example"), ("Sec-Fetch-Site", "cross-site"),
        ("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("TE", "trailers"), ("Proxy-Authorization", "Basic x"),
    ]  # fmt: skip
    answer = await exchange(door.port, request_bytes("POST", "/oauth/token", headers, b"grant_type=refresh_token"))
    (asked,) = pages.asked
    assert (answer.status, answer.json) == (400, {"error": "invalid_grant"})
    assert answer.header("WWW-Authenticate") == "Basic"
    assert (asked.method, asked.body) == ("POST", b"grant_type=refresh_token")
    for name, value in headers[1:6]:
        assert asked.headers[name] == value
    assert not {"X-Hop", "TE", "Proxy-Authorization"} & set(asked.headers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
async def test_every_method_of_a_page_is_controls_to_answer(door: Rig, pages: PeoplePages, method: str) -> None:
    pages.on("/oauth/clients", Page(405 if method == "DELETE" else 200, b"" if method == "HEAD" else b"x"))
    answer = await exchange(door.port, request_bytes(method, "/oauth/clients", [HOST]), bodiless=method == "HEAD")
    assert answer.status == (405 if method == "DELETE" else 200)
    assert [asked.method for asked in pages.asked] == [method]


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND"])
async def test_other_methods_are_refused_here(door: Rig, pages: PeoplePages, method: str) -> None:
    assert (await exchange(door.port, request_bytes(method, "/sign-in", [HOST]))).status == 405
    assert pages.asked == []


async def test_redirects_and_empty_answers_are_passed_on_as_they_are(door: Rig, pages: PeoplePages) -> None:
    pages.on("/oauth/authorize", Page(303, b"", [("Location", "http://127.0.0.1:9999/callback?code=x")]))
    pages.on("/static/a.css", Page(304, b"", [("ETag", '"1"')]))
    for path, status in (("/oauth/authorize", 303), ("/static/a.css", 304)):
        answer = await exchange(door.port, request_bytes("GET", path, [HOST]))
        assert (answer.status, answer.body) == (status, b"")
    assert len(pages.asked) == 2  # nobody followed


async def test_what_is_not_there_control_says(door: Rig) -> None:
    answer = await exchange(door.port, request_bytes("GET", "/my/nothing", [HOST]))
    assert (answer.status, answer.body) == (404, b"nothing here")


@pytest.mark.parametrize("target", ["/static/../internal/token", "/static/%2e%2e/x", "/my//access", "/sign-in/a\\b"])
async def test_a_path_with_two_meanings_is_not_passed_on(door: Rig, pages: PeoplePages, target: str) -> None:
    assert (await exchange(door.port, request_bytes("GET", target, [HOST]))).status == 400
    assert pages.asked == []


@pytest.mark.parametrize("path", ["/internal/token", "/api/v1/users", "/v1/mcp/token", "/health/x"])
async def test_nothing_else_is_passed_on(door: Rig, pages: PeoplePages, path: str) -> None:
    answer = await exchange(door.port, request_bytes("GET", path, [HOST]))
    assert answer.status in {401, 404}
    assert pages.asked == []


async def test_another_host_name_is_not_served(door: Rig, pages: PeoplePages) -> None:
    answer = await exchange(door.port, request_bytes("GET", "/sign-in", [("Host", "evil.example")]))
    assert answer.status == 421
    assert pages.asked == []


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_above_the_cap_is_refused_before_control_sees_it(
    door: Rig, pages: PeoplePages, chunked: bool
) -> None:
    whole = b"x" * (MOST_BODY + 1)
    body: Any = io.BytesIO(whole)
    if chunked:

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(whole), 65_536):
                yield whole[start : start + 65_536]

        body = pieces()
    async with aiohttp.ClientSession() as http, http.post(f"{base(door)}/oauth/register", data=body) as answer:
        assert answer.status == 413
    assert pages.asked == []
    assert door.worker.usage.bytes_in_flight == 0


async def test_while_control_is_away_a_person_gets_a_page_a_client_json_and_calls_go_on(
    door: Rig, pages: PeoplePages, upstream: McpUpstream
) -> None:
    await door.serve([door.control.tool("echo", "echo", door.control.installation(upstream.url))])
    await pages.stop()
    page = await exchange(door.port, request_bytes("GET", "/sign-in", [HOST, ("Accept", "text/html")]))
    told = await exchange(door.port, request_bytes("POST", "/oauth/token", [HOST], b"grant_type=x"))
    assert page.status == told.status == 503
    assert (page.header("Content-Type"), told.header("Content-Type")) == (
        "text/html; charset=utf-8",
        "application/json",
    )
    assert b"retry soon" in page.body
    assert told.json["error"] == "temporarily_unavailable"
    assert (page.header("Retry-After"), told.header("Retry-After")) == ("2", "2")
    assert (await door.call("echo")).status == 200

    await pages.start()
    assert (await exchange(door.port, request_bytes("GET", "/sign-in", [HOST]))).status == 200


async def test_another_replica_of_control_is_asked_where_one_is_away(make_rig: MakeRig, pages: PeoplePages) -> None:
    async with PeoplePages() as gone:
        pass
    async with make_rig(control_public_url=(gone.url, pages.url)) as rig:
        answer = await exchange(rig.port, request_bytes("POST", "/sign-in", [HOST], b"x"))
    assert answer.status == 200
    assert len(pages.asked) == 1


async def test_an_answer_that_breaks_off_breaks_off_for_who_asked(door: Rig, pages: PeoplePages) -> None:
    pages.on("/sign-in", Page(cut=True))
    async with aiohttp.ClientSession() as http, http.get(f"{base(door)}/sign-in") as answer:
        with pytest.raises(aiohttp.ClientError):
            await answer.read()


async def test_an_event_stream_comes_event_by_event_and_ends_with_its_reader(door: Rig, pages: PeoplePages) -> None:
    pages.on("/connect/g", Page(events=3))
    async with aiohttp.ClientSession() as http, http.get(f"{base(door)}/connect/g") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        for number in range(2):
            pages.next_event.set()
            assert await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 30) == b"data: %d\n\n" % number
        stream.close()

    async def has_left() -> bool:
        return pages.left == 1

    await eventually(has_left)


async def test_an_event_stream_ends_when_the_worker_leaves(door: Rig, pages: PeoplePages) -> None:
    pages.on("/connect/g", Page(events=1))
    async with aiohttp.ClientSession() as http, http.get(f"{base(door)}/connect/g") as stream:
        pages.next_event.set()
        await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 30)
        door.worker.deps.draining = True
        assert await asyncio.wait_for(stream.content.read(), 30) == b""
    door.worker.deps.draining = False


async def test_one_address_takes_a_quarter_of_the_places(
    door: Rig, pages: PeoplePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing_on, "MOST_AT_ONCE", 4)
    pages.on("/connect/g", Page(events=1))
    async with aiohttp.ClientSession() as http, http.get(f"{base(door)}/connect/g"):
        answer = await exchange(door.port, request_bytes("GET", "/sign-in", [HOST]))
        assert answer.status == 503
    assert len(pages.asked) == 1

    async def is_free() -> bool:
        return (await exchange(door.port, request_bytes("GET", "/sign-in", [HOST]))).status == 200

    await eventually(is_free)


async def test_an_overloaded_worker_passes_no_strangers_on(door: Rig, pages: PeoplePages) -> None:
    door.worker.deps.overload = overloaded()
    assert (await exchange(door.port, request_bytes("GET", "/sign-in", [HOST]))).status == 503
    assert pages.asked == []


@pytest.mark.parametrize(
    "changed",
    [{}, {"control_public_url": ("http://127.0.0.1:1",), "issuer_url": "https://sign-in.example"}],
    ids=["no address", "an issuer of its own"],
)
async def test_without_an_address_of_control_or_with_another_issuer_there_is_nothing_at_these_paths(
    make_rig: MakeRig, changed: dict[str, Any]
) -> None:
    async with make_rig(**changed) as rig:
        for path in ("/sign-in", "/oauth/token", "/.well-known/oauth-authorization-server"):
            answer = await exchange(rig.port, request_bytes("GET", path, [HOST]))
            assert (answer.status, answer.json["error"]["code"]) == (404, -31404)


async def test_calls_and_pages_share_a_connection_in_their_order(
    door: Rig, pages: PeoplePages, upstream: McpUpstream
) -> None:
    await door.serve([door.control.tool("echo", "echo", door.control.installation(upstream.url))])
    pages.on("/token", Page(200, b"{}", [("Content-Type", "application/json")]))
    reply = await door.call("echo")
    assert reply.status == 200
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as http:
        for _ in range(3):
            async with http.post(f"{base(door)}/token", data={"a": "b"}) as answer:
                assert await answer.read() == b"{}"
            async with http.get(f"{base(door)}/health") as answer:
                assert answer.status == 200


async def test_what_was_passed_on_is_counted(door: Rig, pages: PeoplePages) -> None:
    await exchange(door.port, request_bytes("GET", "/sign-in", [HOST]))
    await pages.stop()
    await exchange(door.port, request_bytes("GET", "/sign-in", [HOST]))
    for outcome in ("answered", "unavailable"):
        assert door.worker.slots.value(f'archway_passed_on_total{{outcome="{outcome}"}}') == 1
