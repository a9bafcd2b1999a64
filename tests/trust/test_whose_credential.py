"""Whose credential a call is made with, from the caller's token to the bytes at the server: one tool on one gateway,
resolved at call time, and callers who find their own, their team's, the organisation's, several, or none.

Through the whole product: a real proxy, and a server that remembers what it was sent. Row P-2 of the trust checklist.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from core.identifiers import new_id
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.fixtures_admin import AdminClient
from tests.fixtures_archway import RunningArchway
from tests.fixtures_program import eventually
from tests.fixtures_system import Outcome, modern_request, outcome_of

WITHIN_S = 20.0
"""News comes within a second; without it, workers ask again after the soft age of 30."""


@dataclass(frozen=True)
class Caller:
    """A person, and the token that their client calls with."""

    api: AdminClient
    token: str

    @property
    def id(self) -> str:
        return str(self.api.user["id"])


@dataclass(frozen=True)
class Program:
    """A service account, and the access token that it calls with."""

    id: str
    name: str
    token: str

    @property
    def owner(self) -> dict[str, str]:
        """As the API names it."""
        return {"scope": "service", "oauth_client_id": self.id}


@dataclass(frozen=True)
class Desk:
    """A gateway with one tool of an entry that wants a key, resolved at call time; nobody has installed it yet but
    `discovered`, who belongs to nobody's team."""

    slug: str
    url: str
    pages_url: str
    entry: dict[str, Any]
    admin: AdminClient
    server: McpUpstream
    http: aiohttp.ClientSession

    async def caller(self, name: str, *teams: dict[str, Any]) -> Caller:
        api = await self.admin.as_new_user(f"{name} {new_id()}")
        for team in teams:
            await self.admin.put(f"/teams/{team['id']}/members/{api.user['id']}", {"role": "member"})
        made = await self.admin.made("/tokens", {"name": name, "kind": "user", "user_id": api.user["id"]})
        return Caller(api, made["secret"])

    async def program(self, name: str, **fields: Any) -> Program:
        """An OAuth client that acts by itself, with an access token of its own for the gateway."""
        wanted = {"name": f"{name} of {self.slug}", "acts": "by_itself", "auth_method": "client_secret_post"}
        made = await self.admin.made("/oauth-clients", {**wanted, **fields})
        proof = {name: made[name] for name in ("client_id", "client_secret")}
        asked = {"grant_type": "client_credentials", "resource": self.url, **proof}
        async with self.http.post(f"{self.pages_url}/oauth/token", data=asked) as answer:
            assert answer.status == 200, await answer.text()
            return Program(made["id"], made["name"], (await answer.json())["access_token"])

    async def team(self, name: str) -> dict[str, Any]:
        return await self.admin.made("/teams", {"name": f"{name} of {self.slug}"})

    async def install(self, key: str, by: AdminClient | None = None, **owner: str) -> dict[str, Any]:
        wanted = {"entry_id": self.entry["id"], "scope": "organisation", "credential": key, **owner}
        return await (by or self.admin).made("/installations", wanted)

    async def call(self, caller: Caller | Program | str) -> Outcome:
        """One call of the tool."""
        token = caller if isinstance(caller, str) else caller.token
        body, headers = modern_request("tools/call", {"name": "t", "arguments": {}}, token)
        async with self.http.post(self.url, data=body, headers=headers) as answer:
            return outcome_of(answer.status, answer.headers, await answer.read())

    async def key_of(self, caller: Caller | Program | str) -> str:
        """The key that the server got with a call of this caller; what the refusal is called, where it got none."""
        before = len(self.server.seen_of("tools/call"))
        outcome = await self.call(caller)
        sent = self.server.seen_of("tools/call")[before:]
        if outcome.status != "ok":
            assert not sent
            return outcome.status
        (received,) = sent
        return str(received.headers["Authorization"]).removeprefix("Bearer ")

    async def record_of(self, outcome: Outcome) -> dict[str, Any]:
        """What is kept of a call: it comes some moments after it."""
        found: list[dict[str, Any]] = []

        async def there() -> bool:
            found[:] = await self.admin.items(f"/records?request_id={outcome.request_id}")
            return bool(found)

        await eventually(there, WITHIN_S, "the call is in the records")
        return found[0]

    async def until_key(self, caller: Caller | Program, key: str) -> None:
        """Until calls of this caller are made with this key: workers hear of a change a moment after it."""

        async def so() -> bool:
            return await self.key_of(caller) == key

        await eventually(so, WITHIN_S, f"calls are made with {key}")


@pytest.fixture
async def desk(archway: RunningArchway) -> AsyncIterator[Desk]:
    slug = "w" + new_id().replace("-", "")[-20:]
    async with aiohttp.ClientSession() as http, McpUpstream(era="both") as server:
        server.tool("t", Answer(text="done"))
        admin = AdminClient(http, archway.up["control_url"], archway.up["admin_token"], {})
        wanted = {"slug": slug, "name": "CRM", "url": server.url, "credential_model": "static"}
        entry = await admin.made("/entries", {**wanted, "credential_placement": {"style": "bearer"}})
        found = Desk(
            slug, f"{archway.up['proxy_url']}/v1/mcp/{slug}", archway.up["proxy_url"], entry, admin, server, http
        )
        somebody = await found.caller("Somebody")
        await found.install("the-key-of-somebody", somebody.api, scope="personal")
        gateway = await admin.made("/gateways", {"slug": slug, "name": slug})
        tools = {"entry": slug, "tools": ["t"], "prefix": False}
        assert (await admin.post(f"/gateways/{gateway['id']}/assignments", tools)).status == 201
        await found.until_key(somebody, "the-key-of-somebody")
        yield found


async def test_five_callers_of_one_tool_are_served_with_the_right_credential_or_told_what_to_do(desk: Desk) -> None:
    blue, red = await desk.team("Blue"), await desk.team("Red")
    ann, ben, cid = [await desk.caller(name, blue) for name in ("Ann", "Ben", "Cid")]
    await desk.admin.put(f"/teams/{red['id']}/members/{cid.id}", {"role": "member"})
    dot = await desk.caller("Dot")
    await desk.install("key-of-ann", ann.api, scope="personal")
    for team in (blue, red):
        await desk.install(f"key-of-{team['name'].split()[0]}", scope="team", team_id=team["id"])

    assert await desk.key_of(ann) == "key-of-ann"
    assert await desk.key_of(ben) == "key-of-Blue"
    several = await desk.call(cid)
    assert several.status == "credential_ambiguous"
    assert f"of the team '{blue['name']}'" in several.sentence
    assert f"of the team '{red['name']}'" in several.sentence
    none = await desk.call(dot)
    link = f"{desk.pages_url}/install/{desk.slug}?as=user%3A{dot.id}"
    assert (none.status, none.result["_meta"]["archway/refusal"]["link"]) == ("credential_missing", link)
    assert none.sentence == (
        "CRM is not connected: neither you nor a team of yours has an installation of it. "
        f"Open {link} to connect it, then try again. Or run `archway installations create --entry {desk.slug} "
        "--scope personal --credential`, or ask an administrator."
    )

    await desk.install("key-of-all")
    assert await desk.key_of(dot) == "key-of-all"
    assert await desk.key_of(ann) == "key-of-ann"
    assert await desk.key_of(ben) == "key-of-Blue"
    assert await desk.key_of(cid) == "credential_ambiguous"
    for caller in (cid, dot):
        await desk.install(f"own-key-of-{caller.id}", caller.api, scope="personal")
        await desk.until_key(caller, f"own-key-of-{caller.id}")
    assert {one.headers["Authorization"] for one in desk.server.seen_of("tools/call")} == {
        f"Bearer {key}"
        for key in ("the-key-of-somebody", "key-of-ann", "key-of-Blue", "key-of-all", f"own-key-of-{cid.id}",
                    f"own-key-of-{dot.id}")
    }  # fmt: skip


async def test_a_team_s_token_is_served_by_its_team_and_not_by_a_member(desk: Desk) -> None:
    blue = await desk.team("Blue")
    ann = await desk.caller("Ann", blue)
    await desk.install("key-of-ann", ann.api, scope="personal")
    token = (await desk.admin.made("/tokens", {"name": "b", "kind": "team", "team_id": blue["id"]}))["secret"]
    refused = await desk.call(token)
    assert refused.status == "credential_missing"
    assert f"{desk.pages_url}/install/{desk.slug}?as=team%3A{blue['id']} to connect it" in refused.sentence
    await desk.install("key-of-blue", scope="team", team_id=blue["id"])
    assert await desk.key_of(token) == "key-of-blue"


async def test_a_service_account_is_served_with_its_own_before_its_team_s_and_nobody_else_is(desk: Desk) -> None:
    blue = await desk.team("Blue")
    program, other = await desk.program("Nightly", team_id=blue["id"]), await desk.program("Weekly")
    ann = await desk.caller("Ann", blue)
    refused = await desk.call(program)
    assert (refused.status, refused.result["_meta"]["archway/refusal"].get("link")) == ("credential_missing", None)
    assert refused.sentence == (
        "CRM is not connected: neither this client nor a team of its has an installation of it. Whoever runs this "
        f"client asks an administrator to run `archway installations create --entry {desk.slug} --scope service "
        f"--oauth-client '{program.name}' --credential`."
    )

    await desk.install("key-of-all")
    assert await desk.key_of(program) == "key-of-all"
    await desk.install("key-of-blue", scope="team", team_id=blue["id"])
    await desk.until_key(program, "key-of-blue")
    its = await desk.install("key-of-nightly", **program.owner)
    await desk.until_key(program, "key-of-nightly")
    assert (await desk.key_of(ann), await desk.key_of(other)) == ("key-of-blue", "key-of-all")
    record = await desk.record_of(await desk.call(program))
    assert (record["principal"], record["installation_owner"]) == (f"service:{program.id}", f"service:{program.id}")

    staging = await desk.install("key-of-staging", name="staging", default=True, **program.owner)
    await desk.until_key(program, "key-of-staging")
    for one in (staging, its):
        assert (await desk.admin.delete(f"/installations/{one['id']}")).status == 204
    await desk.until_key(program, "key-of-blue")


async def test_a_service_account_that_is_moved_to_another_team_calls_with_that_one_s(desk: Desk) -> None:
    blue, red = await desk.team("Blue"), await desk.team("Red")
    for team in (blue, red):
        await desk.install(f"key-of-{team['id']}", scope="team", team_id=team["id"])
    program = await desk.program("Nightly", team_id=blue["id"])
    assert await desk.key_of(program) == f"key-of-{blue['id']}"
    assert (await desk.admin.patch(f"/oauth-clients/{program.id}", {"team_id": red["id"]})).status == 200
    await desk.until_key(program, f"key-of-{red['id']}")


async def test_with_a_service_account_its_calls_and_its_installations_end(desk: Desk) -> None:
    program = await desk.program("Nightly")
    its = await desk.install("key-of-nightly", **program.owner)
    assert await desk.key_of(program) == "key-of-nightly"
    desk.server.tool("t", Answer(text="done", hold=asyncio.Event()))
    begun = len(desk.server.seen_of("tools/call"))
    async with asyncio.TaskGroup() as tasks:
        held = tasks.create_task(desk.call(program))
        await desk.server.wait_for("tools/call", begun + 1)
        assert (await desk.admin.delete(f"/oauth-clients/{program.id}")).status == 204
    assert held.result().status in {"access_ended", "installation_ended"}
    assert (await desk.admin.get(f"/installations/{its['id']}")).status == 404
    assert (await desk.call(program)).status == "http 401"
    assert len(desk.server.seen_of("tools/call")) == begun + 1


async def test_of_several_that_one_person_has_the_default_serves_and_another_at_once_when_it_becomes_that(
    desk: Desk,
) -> None:
    ann = await desk.caller("Ann")
    live = await desk.install("live", ann.api, scope="personal")
    staging = await desk.install("staging", ann.api, scope="personal", name="staging")
    assert await desk.key_of(ann) == "live"
    assert (await ann.api.patch(f"/installations/{staging['id']}", {"default": True})).status == 200
    await desk.until_key(ann, "staging")
    assert (await ann.api.delete(f"/installations/{staging['id']}")).status == 204
    await desk.until_key(ann, "live")
    assert (await ann.api.get(f"/installations/{live['id']}")).json["default"]


async def test_a_default_of_the_organisation_that_moves_is_felt_by_everybody(desk: Desk) -> None:
    ann = await desk.caller("Ann")
    await desk.install("live")
    assert await desk.key_of(ann) == "live"
    staging = await desk.install("staging", name="staging")
    assert await desk.key_of(ann) == "live"
    assert (await desk.admin.patch(f"/installations/{staging['id']}", {"default": True})).status == 200
    await desk.until_key(ann, "staging")


@pytest.mark.parametrize("mine", [pytest.param(0, id="P-2: no credential of one's own, in a team")])
async def test_who_has_none_is_served_by_their_team(desk: Desk, mine: int) -> None:
    team = await desk.team("Blue")
    await desk.install("key-of-blue", scope="team", team_id=team["id"])
    await desk.install("key-of-all")
    ann = await desk.caller("Ann", team)
    assert len(await ann.api.items("/installations?scope=personal")) == mine
    assert await desk.key_of(ann) == "key-of-blue"


@pytest.mark.parametrize("number", [pytest.param(2, id="P-2: in two teams")])
async def test_who_is_in_two_teams_is_asked_which_and_the_gateway_s_own_team_goes_before(
    desk: Desk, number: int
) -> None:
    teams = [await desk.team(f"Team {one}") for one in range(number)]
    for team in teams:
        await desk.install(f"key-of-{team['id']}", scope="team", team_id=team["id"])
    ann = await desk.caller("Ann", *teams)
    assert [await desk.key_of(ann) for _ in range(2)] == ["credential_ambiguous"] * 2
    (gateway,) = [one for one in await desk.admin.items("/gateways?limit=100") if one["slug"] == desk.slug]
    changed = await desk.admin.patch(f"/gateways/{gateway['id']}", {"visibility": "teams", "teams": [teams[1]["id"]]})
    assert changed.status == 200
    await desk.until_key(ann, f"key-of-{teams[1]['id']}")


@pytest.mark.parametrize("owner", [pytest.param("team", id="P-2: a team that the caller is not in")])
async def test_a_team_s_credential_serves_nobody_outside_of_it(desk: Desk, owner: str) -> None:
    theirs = await desk.team("Theirs")
    await desk.install("key-of-theirs", scope=owner, team_id=theirs["id"])
    ann = await desk.caller("Ann", await desk.team("Ours"))
    assert await desk.key_of(ann) == "credential_missing"
    assert not [one for one in desk.server.seen if "key-of-theirs" in str(one.headers) and one.tool == "t"]


@pytest.mark.parametrize("owner", [pytest.param({"scope": "personal"}, id="P-2: credential deleted mid-call")])
async def test_a_credential_that_is_deleted_during_a_call_ends_the_call_and_no_call_begins_with_it(
    desk: Desk, owner: dict[str, str]
) -> None:
    """The server never answers the call that runs, and workers would ask again by themselves only after the soft
    age, which is longer than this waits."""
    ann, never = await desk.caller("Ann"), asyncio.Event()

    async def slow(_: Received) -> Answer:
        return Answer(text="done", hold=never)

    made = await desk.install("key-of-ann", ann.api, **owner)
    await desk.until_key(ann, "key-of-ann")
    desk.server.tool("t", slow)
    begun = len(desk.server.seen_of("tools/call"))

    async def refused() -> bool:
        return await desk.key_of(ann) == "credential_missing"

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(desk.call(ann))
        await desk.server.wait_for("tools/call", begun + 1)
        desk.server.tool("t", Answer(text="done"))
        assert (await ann.api.delete(f"/installations/{made['id']}")).status == 204
        async with asyncio.timeout(WITHIN_S):
            ended = await running
        await eventually(refused, WITHIN_S, "calls are refused")
    assert (ended.status, "was removed" in ended.sentence) == ("installation_ended", True)
    sent = len(desk.server.seen_of("tools/call"))
    assert await desk.key_of(ann) == "credential_missing"
    assert len(desk.server.seen_of("tools/call")) == sent
