from __future__ import annotations

import pytest

from control.credentials.upstream_oauth.metadata import metadata_at
from control.providers.asking import Asker, ProviderAway
from tests.fakes.answering import Answering, Said, text


async def test_a_document_is_read(server: Answering, asker: Asker) -> None:
    server.at("/doc", {"issuer": "x"})
    assert await metadata_at(asker, f"{server.url}/doc") == {"issuer": "x"}
    assert server.asked[0].headers["mcp-protocol-version"]


@pytest.mark.parametrize(
    "said",
    [Said("", 404), Said("", 401), text("<html>", content_type="text/html"), Said("[]"), Said("", 302)],
    ids=["404", "401", "a page", "a list", "a redirect to nowhere"],
)
async def test_what_is_no_document_lets_the_next_address_be_asked(
    server: Answering, asker: Asker, said: Said
) -> None:
    server.at("/doc", said)
    assert await metadata_at(asker, f"{server.url}/doc") is None


@pytest.mark.parametrize("status", [500, 503, 429, 408])
async def test_a_server_that_cannot_say_now_is_away(server: Answering, asker: Asker, status: int) -> None:
    server.at("/doc", {}, status, Retry_After="9")
    with pytest.raises(ProviderAway) as away:
        await metadata_at(asker, f"{server.url}/doc")
    assert away.value.retry_after == 9


async def test_nobody_there_is_no_answer_either(asker: Asker) -> None:
    with pytest.raises(ProviderAway):
        await metadata_at(asker, "http://127.0.0.1:1/doc")


async def test_a_redirect_that_repeats_the_question_is_followed_at_the_same_origin_alone(
    server: Answering, asker: Asker
) -> None:
    server.at("/doc", text("", 307, Location="/there"))
    server.at("/there", {"issuer": "x"})
    assert await metadata_at(asker, f"{server.url}/doc") == {"issuer": "x"}
    async with Answering() as other:
        other.at("/there", {"issuer": "x"})
        for elsewhere in (f"{other.url}/there", "//[", "javascript:alert(1)", ""):
            server.at("/doc", text("", 308, Location=elsewhere))
            assert await metadata_at(asker, f"{server.url}/doc") is None
        server.at("/doc", text("", 302, Location="/there"))
        assert await metadata_at(asker, f"{server.url}/doc") is None
        assert other.asked == []


async def test_redirects_in_a_circle_end(server: Answering, asker: Asker) -> None:
    server.at("/doc", text("", 307, Location="/doc"))
    assert await metadata_at(asker, f"{server.url}/doc") is None
    assert len(server.asked) == 3
