"""Clients' own documents, fetched from real servers over TLS (row O-7)."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from control.oauth.clients import documents
from control.oauth.clients.documents import ClientDocuments
from control.oauth.errors import NotSentBack
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.tasks import Tasks
from tests.fakes.own_authority import Certificate, issue
from tests.fakes.scripted_names import ScriptedNames
from tests.fakes.scripted_upstream import FOREVER, Replies, ScriptedUpstream, head, ok
from tests.plugins.moved_clock import MovedClock

HOST = "client.example"
LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))
JSON = b"Content-Type: application/json"
REDIRECT = "https://client.example/callback"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return issue(Path(tmp_path_factory.mktemp("tls")), HOST)


class Host:
    """A client's website that plays scripts, and the documents read from it."""

    def __init__(self, upstream: ScriptedUpstream, found: ClientDocuments) -> None:
        self.upstream, self.documents = upstream, found

    def url(self, path: str = "/client.json") -> str:
        return f"https://{HOST}:{self.upstream.port}{path}"

    async def name_of(self, path: str = "/client.json") -> str:
        return (await self.documents.client(self.url(path))).name


Served = Callable[..., Any]


@pytest.fixture
def served(certificate: Certificate) -> Served:
    @asynccontextmanager
    async def serve(
        *scripts: Replies, clock: Callable[[], float] | None = None, names: tuple[list[str], ...] = (["127.0.0.1"],),
        policy: AddressPolicy = LOOPBACK,
    ) -> AsyncIterator[Host]:  # fmt: skip
        async with (
            ScriptedUpstream(*scripts, tls=certificate.server) as upstream,
            Egress(policy, ca_bundle=certificate.pem, resolver=ScriptedNames(*names), name_seconds=0) as egress,
        ):
            yield Host(upstream, ClientDocuments(egress, *([clock] if clock else [])))

    return serve


def document(request: bytes, **changes: Any) -> bytes:
    """The document of the client that the request asks for."""
    path = request.split(b" ", 2)[1].decode()
    port = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"host:")).rpartition(b":")[2]
    described = {
        "client_id": f"https://{HOST}:{int(port)}{path}", "client_name": "Claude", "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token", "urn:of:tomorrow"], "of_tomorrow": {"a": 1}, **changes,
    }  # fmt: skip
    return json.dumps({name: value for name, value in described.items() if value is not None}).encode()


def good(*headers: bytes, **changes: Any) -> Callable[[bytes], list[bytes]]:
    return lambda request: [ok(document(request, **changes), JSON, *headers)]


async def test_a_document_describes_its_client_and_what_we_do_not_know_in_it_is_passed_over(served: Served) -> None:
    async with served(good()) as host:
        client = await host.documents.client(host.url())

    assert (client.name, client.redirect_uris, client.auth_method) == ("Claude", (REDIRECT,), "none")
    assert client.refreshes


FORBIDDEN = {
    "private": "10.0.0.1",
    "loopback": "127.0.0.1",
    "link-local": "169.254.1.1",
    "NAT64": "64:ff9b::7f00:1",
    "6to4": "2002:7f00:1::",
    "metadata": "169.254.169.254",
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-7: {name}") for name in FORBIDDEN])
async def test_a_document_at_an_inside_address_is_never_asked_for(served: Served, name: str) -> None:
    async with served(good(), names=([FORBIDDEN[name]],), policy=AddressPolicy()) as host:
        with pytest.raises(NotSentBack) as refused:
            await host.name_of()
        assert host.upstream.connections == 0
    assert FORBIDDEN[name] not in refused.value.sentence


@pytest.mark.parametrize("_", [pytest.param(0, id="O-7: rebinding")])
async def test_the_address_that_is_connected_decides_however_the_name_answers(served: Served, _: int) -> None:
    names = (["127.0.0.1"], ["169.254.169.254"])
    async with served(good(b"Cache-Control: no-store", b"Connection: close"), names=names) as host:
        assert await host.name_of() == "Claude"
        with pytest.raises(NotSentBack):
            await host.name_of("/other.json")


@pytest.mark.parametrize("_", [pytest.param(0, id="S-1: place: CIMD id")])
async def test_an_inside_address_in_a_clients_identifier_is_refused_by_literal_and_by_name(
    served: Served, _: int
) -> None:
    async with served(good(), names=(["169.254.169.254"],), policy=AddressPolicy()) as host:
        for url in ("https://169.254.169.254/c.json", "https://[::1]/c.json", "https://localhost/c.json", host.url()):
            with pytest.raises(NotSentBack):
                await host.documents.client(url)
        assert host.upstream.connections == 0


BAD: dict[str, Replies] = {
    "redirect": [ok(b"", b"Location: https://client.example/elsewhere", status=b"302 Found")],
    "10 MiB": [ok(b" " * (10 << 20), JSON)],
    "non-JSON": [ok(b"<html>", b"Content-Type: text/html")],
    "array": [ok(b"[]", JSON)],
    "other client_id": good(client_id="https://client.example/other.json"),
    "shared-secret method": good(token_endpoint_auth_method="client_secret_post"),  # a method's name
    "client_secret": good(client_secret="s"),  # the bad input itself
    "private JWK": good(jwks={"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "a", "d": "b", "kid": "1"}]}),
    "gzip": lambda request: [ok(gzip.compress(document(request)), JSON, b"Content-Encoding: gzip")],
    "status 203": lambda request: [ok(document(request), JSON, status=b"203 Non-Authoritative Information")],
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-7: {name}") for name in BAD])
async def test_a_document_that_cannot_be_used_is_refused_in_one_sentence(served: Served, name: str) -> None:
    async with served(BAD[name]) as host:
        with pytest.raises(NotSentBack, match=r"^The client's own document cannot be used"):
            await host.name_of()


@pytest.mark.parametrize("_", [pytest.param(0, id="O-7: drip")])
async def test_a_document_that_comes_in_drops_is_not_waited_for(served: Served, clock: MovedClock, _: int) -> None:
    drip = [head(JSON, b"Content-Length: 9999"), b" ", 0.05, b" ", FOREVER]
    async with served(drip) as host, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_refused(host))
        await host.upstream.seen(1)
        clock.pass_by(documents.WITHIN_S + 1)
        assert await waiting


async def _refused(host: Host) -> bool:
    try:
        await host.name_of()
    except NotSentBack:
        return True
    return False


@pytest.mark.parametrize("_", [pytest.param(0, id="O-7: one fetch for all who wait")])
async def test_many_who_want_one_document_at_once_cost_one_fetch(served: Served, _: int) -> None:
    async with served(good()) as host:
        names = await asyncio.gather(*(host.name_of() for _ in range(20)))
        assert set(names) == {"Claude"}
        assert len(host.upstream.requests) == 1


@pytest.mark.parametrize("_", [pytest.param(0, id="O-7: an error is not kept")])
async def test_what_failed_is_asked_for_again(served: Served, _: int) -> None:
    async with served([ok(b"", status=b"500 Oops")], good()) as host:
        assert await _refused(host)
        assert await host.name_of() == "Claude"


@pytest.mark.parametrize("_", [pytest.param(0, id="O-7: many ids at one host")])
async def test_one_host_is_asked_so_often_a_minute_and_others_not_less_for_it(served: Served, _: int) -> None:
    now = [0.0]
    async with served(good(), clock=lambda: now[0]) as host:
        for number in range(documents.A_MINUTE_OF_ONE_HOST):
            assert await host.name_of(f"/{number}.json") == "Claude"
        with pytest.raises(NotSentBack):
            await host.name_of("/more.json")
        assert len(host.upstream.requests) == documents.A_MINUTE_OF_ONE_HOST
        now[0] = 61.0
        assert await host.name_of("/more.json") == "Claude"


async def test_nobody_keeps_a_client_out_by_naming_documents_that_there_are_none_of(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(documents, "A_MINUTE_OF_ONE_HOST", 1)
    tasks = Tasks("test")
    async with served([60.0, ok(b"")], good()) as host:
        made_up = tasks.spawn("made up", host.documents.client(host.url("/made-up.json")))
        await host.upstream.seen(1)
        assert await _refused(host)
        assert (await host.documents.client(host.url(), known=True)).name == "Claude"
        made_up.cancel()


@pytest.mark.parametrize("_", [pytest.param(0, id="O-7: 1,000 documents")])
async def test_no_more_documents_are_kept_than_so_many(
    served: Served, monkeypatch: pytest.MonkeyPatch, _: int
) -> None:
    assert documents.MOST_KEPT == 1_000
    monkeypatch.setattr(documents, "MOST_KEPT", 2)
    async with served(good()) as host:
        for path in ("/1.json", "/2.json", "/3.json", "/3.json", "/1.json"):
            await host.name_of(path)
        assert len(host.upstream.requests) == 4


@pytest.mark.parametrize(
    ("told", "fresh", "stale"),
    [(b"max-age=60", 59.0, 61.0), (b"max-age=1", 29.0, 31.0),
     (b"no-store", 29.0, 31.0), (b"max-age=9999999", 86_399.0, 86_401.0)],
)  # fmt: skip
async def test_a_document_is_used_for_as_long_as_it_says_within_our_bounds(
    served: Served, told: bytes, fresh: float, stale: float
) -> None:
    now = [0.0]
    async with served(good(b"Cache-Control: " + told), clock=lambda: now[0]) as host:
        for moment, asked in ((0.0, 1), (fresh, 1), (stale, 2)):
            now[0] = moment
            await host.name_of()
            assert len(host.upstream.requests) == asked


async def test_a_document_that_was_good_is_used_for_a_day_while_its_host_is_away(served: Served) -> None:
    now = [0.0]
    async with served(good(), [ok(b"", status=b"500 Oops")], clock=lambda: now[0]) as host:
        assert await host.name_of() == "Claude"
        now[0] = 86_000.0
        assert await host.name_of() == "Claude"
        now[0] = 90_000.0
        assert await _refused(host)


async def test_a_fetch_that_was_given_up_is_told_to_those_who_waited_beside(served: Served) -> None:
    tasks = Tasks("test")
    async with served([5.0, ok(b"")], good()) as host:
        first = tasks.spawn("first", host.name_of())
        await host.upstream.seen(1)
        second = tasks.spawn("second", _refused(host))
        await asyncio.sleep(0)
        first.cancel()
        assert await second
        assert await host.name_of() == "Claude"
