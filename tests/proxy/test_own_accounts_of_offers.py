"""What a server offers is each person's own: their credential lists it, gets it, reads it and completes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from core.snapshot import OfferKind
from core.tokens import digest
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import Rig
from tests.proxy.test_offers import asked, offered

PEOPLE = ("ada", "bob")
ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])
SPEAKS = pytest.mark.parametrize("speaks", ["modern", "legacy"])
GREET = {"type": "ref/prompt", "name": "greet"}
NOTES = {"type": "ref/resource", "uri": "notes://{id}"}
START = {"name": "id", "value": ""}


@dataclass(frozen=True)
class Asked:
    """Something that callers ask for, and the word in the answer that only its reader gets."""

    kind: OfferKind
    method: str
    params: dict[str, Any]
    word: Callable[[dict[str, Any]], str]


def first_value(result: dict[str, Any]) -> str:
    return result["completion"]["values"][0]


ASKED = (
    Asked("resources", "resources/list", {}, lambda r: r["resources"][-1]["uri"]),
    Asked("resources", "resources/templates/list", {}, lambda r: r["resourceTemplates"][-1]["uriTemplate"]),
    Asked("resources", "resources/read", {"uri": "me://profile"}, lambda r: r["contents"][0]["text"]),
    Asked("resources", "completion/complete", {"ref": NOTES, "argument": START}, first_value),
    Asked("prompts", "prompts/list", {}, lambda r: r["prompts"][-1]["name"]),
    Asked("prompts", "prompts/get", {"name": "greet"}, lambda r: r["messages"][0]["content"]["text"]),
    Asked("prompts", "completion/complete", {"ref": GREET, "argument": START}, first_value),
)


def answers_by_credential(server: McpUpstream) -> None:
    """It says in each answer whose credential it was asked with."""

    def on(method: str, result_for: Callable[[str], dict[str, Any]]) -> None:
        def answer(received: Received) -> Answer:
            return Answer(result=result_for(received.headers["Authorization"].removeprefix("Bearer ")))

        server.on(method, answer)

    on(
        "resources/list",
        lambda who: {"resources": [{"uri": "me://profile", "name": "me"}, {"uri": who, "name": who}]},
    )
    on("resources/templates/list", lambda who: {"resourceTemplates": [{"uriTemplate": who, "name": who}]})
    on("resources/read", lambda who: {"contents": [{"uri": "me://profile", "text": who}]})
    on("prompts/list", lambda who: {"prompts": [{"name": "greet"}, {"name": who}]})
    on("prompts/get", lambda who: {"messages": [{"role": "user", "content": {"type": "text", "text": who}}]})
    on("completion/complete", lambda who: {"completion": {"values": [who], "total": 1}})


@ERAS
@SPEAKS
@pytest.mark.parametrize("wanted", ASKED, ids=lambda one: f"{one.kind}-{one.method}")
async def test_two_people_who_ask_for_the_same_each_see_their_own(
    rig: Rig, era: str, speaks: Any, wanted: Asked
) -> None:
    async with McpUpstream(era=speaks) as server:
        answers_by_credential(server)
        tokens = {who: rig.control.token() for who in PEOPLE}
        accounts = {
            who: rig.control.installation(
                server.url, entry="crm", credential_headers=[("Authorization", f"Bearer {who}")]
            )
            for who in PEOPLE
        }
        offer = offered(rig, wanted.kind, accounts["ada"])
        for who, token in tokens.items():
            rig.control.installations[f"{offer.assignment_id}/{digest(token)}"] = accounts[who]
        await rig.serve([], offers=[offer])
        for who in (*PEOPLE, *PEOPLE):  # again, when something may be remembered of both
            rig.token = tokens[who]
            assert wanted.word((await asked(rig, era, wanted.method, **wanted.params)).result) == who
