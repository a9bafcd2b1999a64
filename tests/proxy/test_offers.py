"""Resources and prompts of servers on a gateway: whose they are, how they are named, and with whose credential."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.identifiers import new_id
from core.resolve import InstallationRefusal, ResolvedInstallation
from core.snapshot import Offer, OfferKind, Route
from core.tokens import digest
from proxy.upstream.list_answers import MAX_PAGES
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import Reply, Rig, eventually

LINK = "https://archway.test/install/crm?as=user%3Au"
MISSING = InstallationRefusal("needs_sign_in", "Sign in to crm first.", LINK)


def offered(rig: Rig, kind: OfferKind, held: ResolvedInstallation, **route: Any) -> Offer:
    """An offer of a server that is called as its entry is."""
    assignment = new_id()
    rig.control.installations[assignment] = held
    where = Route("remote", held.entry_id, held.entry, per_principal=True, **route)
    return Offer(held.entry, kind, assignment, f"{held.entry}__all_{kind}", where)


def listing(member: str, *names: str, **more: Any) -> Answer:
    key = {"prompts": "name", "resources": "uri", "resourceTemplates": "uriTemplate"}[member]
    return Answer(result={member: [{key: name, "name": name} | more for name in names]})


def resources(server: McpUpstream, *uris: str, templates: tuple[str, ...] = ()) -> None:
    """It lists these, and reads whatever it is asked for, in its own name."""
    server.on("resources/list", listing("resources", *uris))
    server.on("resources/templates/list", listing("resourceTemplates", *templates))

    def read(received: Received) -> Answer:
        text = f"{server.port} {received.headers.get('Authorization', '')}"
        return Answer(result={"contents": [{"uri": received.params["uri"], "text": text}]})

    server.on("resources/read", read)


def prompts(server: McpUpstream, *names: str) -> None:
    server.on("prompts/list", listing("prompts", *names))

    def got(received: Received) -> Answer:
        told = f"{server.port}: {received.params['name']} {received.params.get('arguments')}"
        return Answer(result={"messages": [{"role": "user", "content": {"type": "text", "text": told}}]})

    server.on("prompts/get", got)


async def asked(rig: Rig, era: str, method: str, **params: Any) -> Reply:
    if era == "modern":
        return await rig.modern(method, params)
    return await rig.legacy(method, params, session=await rig.open_session())


ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])
SPEAKS = pytest.mark.parametrize("speaks", ["modern", "legacy"])


@ERAS
@SPEAKS
async def test_what_a_server_offers_is_listed_read_and_got(rig: Rig, era: str, speaks: Any) -> None:
    async with McpUpstream(era=speaks) as server:
        resources(server, "file:///notes")
        prompts(server, "greet")
        held = rig.control.installation(server.url, entry="crm")
        await rig.serve([], offers=[offered(rig, "prompts", held), offered(rig, "resources", held)])

        listed = (await asked(rig, era, "resources/list")).result["resources"]
        assert [one["uri"] for one in listed] == ["file:///notes"]
        read = (await asked(rig, era, "resources/read", uri="file:///notes")).result
        assert read["contents"][0]["uri"] == "file:///notes"
        assert [one["name"] for one in (await asked(rig, era, "prompts/list")).result["prompts"]] == ["greet"]
        got = (await asked(rig, era, "prompts/get", name="greet", arguments={"who": "Ada"})).result
        assert "greet {'who': 'Ada'}" in got["messages"][0]["content"]["text"]
        if era == "modern":
            assert (read["resultType"], read["cacheScope"], read["ttlMs"]) == ("complete", "private", 0)
        else:
            assert not {"resultType", "cacheScope", "ttlMs"} & read.keys()
        assert server.complaints == []


@ERAS
async def test_a_gateway_says_that_it_has_them_only_where_a_server_offers_them(rig: Rig, era: str) -> None:
    async with McpUpstream(era="both") as server:
        held = rig.control.installation(server.url, entry="crm")
        await rig.serve([], slug="none")
        await rig.serve([], slug="some", offers=[offered(rig, "prompts", held)])

        async def can(gateway: str) -> dict[str, Any]:
            if era == "modern":
                return (await rig.modern("server/discover", gateway=gateway)).result["capabilities"]
            opening = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t"}}
            return (await rig.legacy("initialize", opening, gateway=gateway)).result["capabilities"]

        assert {"prompts", "resources", "completions"}.isdisjoint(await can("none"))
        some = await can("some")
        assert ("prompts" in some, "completions" in some, "resources" in some) == (True, True, False)


@pytest.mark.parametrize("method", ["prompts/list", "resources/list", "resources/read", "completion/complete"])
async def test_without_an_offer_the_methods_are_not_there(rig: Rig, method: str) -> None:
    await rig.serve([])
    assert (await asked(rig, "legacy", method)).error["code"] == -32601
    reply = await asked(rig, "modern", method, uri="a://1")
    assert (reply.status, reply.error["code"]) == (404, -32601)


async def test_two_people_read_the_same_uri_each_with_their_own_credential(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        resources(server, "me://profile")
        mine = rig.control.installation(
            server.url, entry="crm", credential_headers=[("Authorization", "Bearer mine")]
        )
        offer = offered(rig, "resources", mine)
        other = rig.control.token()
        theirs = rig.control.installation(
            server.url, entry="crm", credential_headers=[("Authorization", "Bearer own")]
        )
        rig.control.installations[f"{offer.assignment_id}/{digest(other)}"] = theirs
        await rig.serve([], offers=[offer])

        told = await rig.modern("resources/read", {"uri": "me://profile"})
        assert told.result["contents"][0]["text"].endswith("Bearer mine")
        told = await rig.modern("resources/read", {"uri": "me://profile"}, token=other)
        assert told.result["contents"][0]["text"].endswith("Bearer own")
        for token, sent in ((rig.token, "Bearer mine"), (other, "Bearer own")):
            await rig.modern("resources/list", token=token)
            assert server.seen_of("resources/list")[-1].headers["Authorization"] == sent


async def test_uris_that_two_servers_have_are_told_apart_and_read_where_they_belong(rig: Rig) -> None:
    async with McpUpstream(era="modern") as crm, McpUpstream(era="legacy") as wiki:
        resources(crm, "file:///x", "crm://1", templates=("crm://{id}",))
        resources(wiki, "file:///x", "wiki://1", templates=("wiki://{id}",))
        offers = [
            offered(rig, "resources", rig.control.installation(server.url, entry=name))
            for name, server in (("crm", crm), ("wiki", wiki))
        ]
        await rig.serve([], offers=offers)

        listed = (await rig.modern("resources/list")).result["resources"]
        assert [one["uri"] for one in listed] == ["crm+file:///x", "crm://1", "wiki+file:///x", "wiki://1"]
        for uri, server in (
            ("crm+file:///x", crm),
            ("wiki+file:///x", wiki),
            ("wiki://1", wiki),
            ("crm://not/listed", None),
            ("crm://7", crm),
            ("wiki+other:///y", wiki),
        ):
            told = await rig.modern("resources/read", {"uri": uri})
            if server is None:
                assert told.error["code"] == -32602
            else:
                assert told.result["contents"][0]["text"].startswith(str(server.port))
        told = (await rig.modern("resources/read", {"uri": "file:///x"})).error
        assert (told["code"], told["data"]["uri"]) == (-32602, "file:///x")


async def test_prompts_of_one_name_are_told_apart_too(rig: Rig) -> None:
    async with McpUpstream(era="modern") as crm, McpUpstream(era="modern") as wiki:
        prompts(crm, "greet", "own")
        prompts(wiki, "greet")
        offers = [
            offered(rig, "prompts", rig.control.installation(server.url, entry=name))
            for name, server in (("crm", crm), ("wiki", wiki))
        ]
        await rig.serve([], offers=offers)
        listed = (await rig.modern("prompts/list")).result["prompts"]
        assert [one["name"] for one in listed] == ["crm__greet", "own", "wiki__greet"]
        told = (await rig.modern("prompts/get", {"name": "wiki__greet"})).result
        assert told["messages"][0]["content"]["text"].startswith(f"{wiki.port}: greet")


@ERAS
async def test_what_no_server_has_is_said_in_the_words_of_the_era(rig: Rig, era: str) -> None:
    async with McpUpstream(era="both") as server:
        server.on("resources/read", Answer(error=(-32602, "no such thing")))
        server.on("prompts/get", Answer(error=(-32602, "no such prompt")))
        held = rig.control.installation(server.url, entry="crm")
        await rig.serve([], offers=[offered(rig, "prompts", held), offered(rig, "resources", held)])
        told = (await asked(rig, era, "resources/read", uri="a://none")).error
        assert told["code"] == (-32602 if era == "modern" else -32002)
        assert "no such thing" in told["message"]
        assert told["data"]["uri"] == "a://none"
        assert (await asked(rig, era, "prompts/get", name="none")).error["code"] == -32602


@ERAS
async def test_a_server_that_is_down_costs_its_own_items_alone_and_is_named(rig: Rig, era: str) -> None:
    async with McpUpstream(era="modern") as server, McpUpstream(era="modern") as away:
        resources(server, "a://1")
        up = offered(rig, "resources", rig.control.installation(server.url, entry="up"))
        down = offered(rig, "resources", rig.control.installation(away.url, entry="down"))
        await away.stop()
        await rig.serve([], offers=[down, up])
        told = (await asked(rig, era, "resources/list")).result
        assert [one["uri"] for one in told["resources"]] == ["a://1"]
        (missing,) = told["_meta"]["archway/missing"]
        assert (missing["server"], missing["code"], missing["retryable"]) == ("down", "upstream_refused", True)


@ERAS
async def test_a_list_that_lacks_a_credential_says_so_with_the_link_and_is_never_empty(rig: Rig, era: str) -> None:
    async with McpUpstream(era="modern") as server:
        resources(server, "a://1")
        offer = offered(rig, "resources", rig.control.installation(server.url, entry="crm"))
        rig.control.installations[f"{offer.assignment_id}/{digest(rig.token)}"] = MISSING
        await rig.serve([], offers=[offer])
        told = (await asked(rig, era, "resources/list")).error
        assert told["data"]["code"] == "needs_sign_in"
        assert told["data"]["link"] == LINK
        assert LINK in told["message"]


@ERAS
async def test_a_list_with_items_of_others_names_the_server_that_lacks_a_credential(rig: Rig, era: str) -> None:
    async with McpUpstream(era="modern") as server:
        resources(server, "a://1")
        offer = offered(rig, "resources", rig.control.installation(server.url, entry="crm"))
        rig.control.installations[f"{offer.assignment_id}/{digest(rig.token)}"] = MISSING
        other = offered(rig, "resources", rig.control.installation(server.url, entry="other"))
        await rig.serve([], offers=[offer, other])
        told = (await asked(rig, era, "resources/list")).result
        assert [one["uri"] for one in told["resources"]] == ["a://1"]
        assert told["_meta"]["archway/missing"][0]["link"] == LINK


async def test_who_has_signed_in_sees_the_list_at_once(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        resources(server, "a://1")
        offer = offered(rig, "resources", rig.control.installation(server.url, entry="crm"))
        own = f"{offer.assignment_id}/{digest(rig.token)}"
        rig.control.installations[own] = MISSING
        await rig.serve([], offers=[offer])
        assert (await rig.modern("resources/list")).error["data"]["code"] == "needs_sign_in"
        del rig.control.installations[own]
        assert [one["uri"] for one in (await rig.modern("resources/list")).result["resources"]] == ["a://1"]


async def test_a_list_that_the_server_said_has_changed_is_asked_for_again(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        resources(server, "a://1")
        offer = offered(rig, "resources", rig.control.installation(server.url, entry="crm"))
        await rig.serve([], offers=[offer])
        await rig.modern("resources/list")
        resources(server, "a://2")
        await rig.serve([], offers=[replace(offer, revision=1)])

        async def told() -> bool:
            gateway = rig.worker.deps.gateways.peek("g")
            return gateway is not None and gateway.snapshot.revision == 2

        await eventually(told)
        assert [one["uri"] for one in (await rig.modern("resources/list")).result["resources"]] == ["a://2"]


async def test_long_lists_come_in_pages_that_fit_together(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        resources(server, *(f"a://{number:04}" for number in range(450)))
        offer = offered(rig, "resources", rig.control.installation(server.url, entry="crm"))
        await rig.serve([], offers=[offer])
        seen, cursor = [], None
        while True:
            told = (await rig.modern("resources/list", {} if cursor is None else {"cursor": cursor})).result
            seen += [one["uri"] for one in told["resources"]]
            cursor = told.get("nextCursor")
            if cursor is None:
                break
        assert seen == [f"a://{number:04}" for number in range(450)]
        assert len(server.seen_of("resources/list")) == 1
        for wrong in ("x", "", "cGFnZTo5OQ==", 3):
            assert (await rig.modern("resources/list", {"cursor": wrong})).error["code"] == -32602


async def test_a_servers_pages_are_read_to_their_end_and_one_without_end_is_bounded(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:

        def page(received: Received) -> Answer:
            number = int(received.params.get("cursor", "0"))
            items = [{"uri": f"a://{number}", "name": "n"}]
            return Answer(result={"resources": items, "nextCursor": str(number + 1)})

        server.on("resources/list", page)
        offer = offered(rig, "resources", rig.control.installation(server.url, entry="crm"))
        await rig.serve([], offers=[offer])
        told = (await rig.modern("resources/list")).result
        assert len(server.seen_of("resources/list")) == MAX_PAGES
        assert f"more than {MAX_PAGES} pages; read were the first {MAX_PAGES}" in told["_meta"]["archway/notes"][0]


@ERAS
async def test_an_argument_is_completed_by_the_server_of_its_prompt(rig: Rig, era: str) -> None:
    async with McpUpstream(era="both") as server:
        prompts(server, "greet")
        server.on("completion/complete", Answer(result={"completion": {"values": ["paris"], "total": 1}}))
        held = rig.control.installation(server.url, entry="crm")
        await rig.serve([], offers=[offered(rig, "prompts", held)])
        wanted = {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "city", "value": "p"}}
        told = (await asked(rig, era, "completion/complete", **wanted)).result
        assert told["completion"]["values"] == ["paris"]
        assert server.seen_of("completion/complete")[-1].params["ref"] == wanted["ref"]


async def test_a_server_that_completes_nothing_has_no_completions(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        server.on("completion/complete", Answer(error=(-32601, "no such method")))
        held = rig.control.installation(server.url, entry="crm")
        await rig.serve([], offers=[offered(rig, "prompts", held)])
        wanted = {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "city", "value": "p"}}
        assert (await rig.modern("completion/complete", wanted)).result["completion"]["values"] == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("resources/read", {}),
        ("resources/read", {"uri": 3}),
        ("prompts/get", {}),
        ("prompts/get", {"name": "greet", "arguments": []}),
        ("completion/complete", {}),
        ("completion/complete", {"ref": {"type": "x"}, "argument": {}}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "greet"}}),
    ],
)
async def test_parameters_of_another_shape_are_refused(rig: Rig, method: str, params: dict[str, Any]) -> None:
    async with McpUpstream(era="modern") as server:
        held = rig.control.installation(server.url, entry="crm")
        await rig.serve([], offers=[offered(rig, "prompts", held), offered(rig, "resources", held)])
        assert (await asked(rig, "legacy", method, **params)).error["code"] == -32602
        assert not server.seen_of(method)
