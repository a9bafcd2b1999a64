from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from control.providers.asking import Asker, ProviderAway, ProviderRefused, seconds_until
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from tests.fakes.issuer import FakeIssuer

LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with Egress(LOOPBACK) as egress:
        yield Asker(egress, LOOPBACK)


async def test_the_object_at_an_address_is_read(asker: Asker) -> None:
    async with FakeIssuer() as issuer:
        assert (await asker.get(f"{issuer.issuer}/keys"))["keys"] == issuer.keys


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=500, text="{}"),
        web.Response(status=404, text="{}"),
        web.Response(status=302, headers={"Location": "/keys"}),
        web.Response(text="[]"),
        web.Response(text="secret that is no JSON"),
        web.Response(body=b"\xff"),
    ],
    ids=["500", "404", "a redirect", "a list", "no JSON", "no text"],
)
async def test_anything_else_is_no_answer_and_is_not_repeated(asker: Asker, answer: web.Response) -> None:
    async with FakeIssuer() as issuer:
        issuer.answer_keys = lambda: answer
        with pytest.raises(ProviderAway) as away:
            await asker.get(f"{issuer.issuer}/keys")
    assert "secret" not in str(away.value)


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/x", "https://10.0.0.1/", "file:///etc/passwd", "http://[::1]/"]
)
async def test_an_address_that_the_operator_did_not_open_is_not_asked(asker: Asker, url: str) -> None:
    with pytest.raises(ProviderAway):
        await asker.get(url)


async def test_nobody_there_is_said_with_the_host(asker: Asker) -> None:
    with pytest.raises(ProviderAway, match=r"127\.0\.0\.1:1"):
        await asker.get("http://127.0.0.1:1/keys")


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (400, '{"error": "invalid_grant", "error_description": "token abc"}', "invalid_grant"),
        (401, '{"error": "invalid_client"}', "invalid_client"),
        (400, '{"error": "<script>"}', ""),
        (400, "no JSON", ""),
        (403, '{"error": 5}', ""),
    ],
)
async def test_a_refusal_has_the_providers_word_and_not_its_sentence(
    asker: Asker, status: int, text: str, error: str
) -> None:
    async with Tokens(status, text) as url:
        with pytest.raises(ProviderRefused) as refused:
            await asker.post(url, b"a=b", {})
    assert (refused.value.status, refused.value.error) == (status, error)
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize("status", [404, 408, 429, 500, 503])
async def test_what_may_be_otherwise_in_a_moment_is_no_refusal(asker: Asker, status: int) -> None:
    async with Tokens(status, '{"error": "invalid_grant"}') as url:
        with pytest.raises(ProviderAway):
            await asker.post(url, b"a=b", {})


@pytest.mark.parametrize(
    ("said", "date", "seconds"),
    [
        ("7", None, 7.0),
        (" 7 ", None, 7.0),
        ("99999999999999999999", None, 3600.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:27:30 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", None, 0.0),
        ("soon", None, 0.0),
        ("-5", None, 0.0),
        (None, None, 0.0),
    ],
)
def test_how_long_a_provider_wants_to_be_left_alone_is_read(
    said: str | None, date: str | None, seconds: float
) -> None:
    assert seconds_until(said, date) == seconds


async def test_a_provider_that_is_asked_too_often_says_for_how_long(asker: Asker) -> None:
    async with Tokens(429, "slow down", {"Retry-After": "12"}) as url:
        with pytest.raises(ProviderAway) as away:
            await asker.post(url, b"a=b", {})
    assert away.value.retry_after == 12.0


async def test_an_answer_of_any_status_can_be_looked_at_and_is_not_shown(asker: Asker) -> None:
    challenge = {"WWW-Authenticate": 'Bearer scope="a"'}
    async with Tokens(401, '{"secret": "abc"}', challenge) as url:
        answer = await asker.ask("POST", url, {})
    assert (answer.status, answer.content_type, answer.json()) == (401, "application/json", {"secret": "abc"})
    assert answer.challenges == ('Bearer scope="a"',)
    assert "abc" not in repr(answer)


class Tokens:
    """A token endpoint that always answers the same."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        self._status, self._text, self._headers = status, text, headers

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_post("/token", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/token"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        return web.Response(
            status=self._status, text=self._text, content_type="application/json", headers=self._headers
        )
