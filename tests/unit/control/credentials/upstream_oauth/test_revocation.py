from __future__ import annotations

from typing import Any

import pytest

from control.credentials.upstream_oauth.client import TokenPlace, place_at
from control.credentials.upstream_oauth.revocation import Kind, Revoked, revoke
from control.providers.asking import Asker
from tests.fakes.answering import Answering, Said, text
from tests.fakes.upstream_clients import a_client, a_server

NOW = 1_000_000.0
BOTH: tuple[tuple[Kind, str], ...] = (("access_token", "at"), ("refresh_token", "rt"))


def place() -> TokenPlace:
    return place_at(a_server(), a_client(client_secret="s", authentication="client_secret_post"))


async def test_the_refresh_token_is_given_back_before_the_access_token(server: Answering, asker: Asker) -> None:
    server.at("/revoke", text(""))
    assert await revoke(asker, place(), f"{server.url}/revoke", BOTH, NOW) == Revoked(done=True)
    assert [one.form for one in server.asked] == [
        {"token": token, "token_type_hint": kind, "client_id": "archway", "client_secret": "s"}
        for kind, token in (("refresh_token", "rt"), ("access_token", "at"))
    ]


async def test_a_token_that_there_is_not_is_not_given_back(server: Answering, asker: Asker) -> None:
    server.at("/revoke", text(""))
    await revoke(asker, place(), f"{server.url}/revoke", (("refresh_token", ""), ("access_token", "at")), NOW)
    assert [one.form["token"] for one in server.asked] == ["at"]
    assert (await revoke(asker, place(), "", (), NOW)).done


@pytest.mark.parametrize(
    ("answer", "word"),
    [({"error": "invalid_client"}, "invalid_client"), (Said("", 503), "503"), (text("<html>", 400), "400")],
)
async def test_what_keeps_a_provider_from_it_is_said(server: Answering, asker: Asker, answer: Any, word: str) -> None:
    server.at("/revoke", answer, 401)
    revoked = await revoke(asker, place(), f"{server.url}/revoke", BOTH, NOW)
    assert not revoked.done
    assert word in revoked.why
    assert "<" not in revoked.why


async def test_a_token_that_the_provider_knows_no_more_counts_as_given_back(server: Answering, asker: Asker) -> None:
    server.at("/revoke", {"error": "invalid_token"}, 400)
    assert (await revoke(asker, place(), f"{server.url}/revoke", BOTH, NOW)).done


async def test_a_provider_that_ends_only_refresh_tokens_has_done_enough(server: Answering, asker: Asker) -> None:
    def answer(asked: Any) -> Said:
        refuses = asked.form["token_type_hint"] == "access_token"
        return Said('{"error": "unsupported_token_type"}', 400) if refuses else Said("")

    server.at("/revoke", answer)
    assert (await revoke(asker, place(), f"{server.url}/revoke", BOTH, NOW)).done


async def test_a_provider_that_has_no_address_for_it_or_is_away_is_said(asker: Asker) -> None:
    assert "no address" in (await revoke(asker, place(), "", BOTH, NOW)).why
    assert not (await revoke(asker, place(), "http://127.0.0.1:1/revoke", BOTH, NOW)).done
