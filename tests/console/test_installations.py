"""Pages of installations over plain HTTP: installed, followed, changed, asked again, deleted; and My connections."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from html import unescape

import pytest

from control.changes import assignments, discoveries, entries, gateways, teams
from control.changes.assignments import WantedTools
from control.changes.write import changing
from control.discovery.under_way import DiscoveriesUnderWay
from control.registry.credential import ClientCredentials, OAuthCredential
from control.registry.entry import Entry, WantedEntry, entry_fields
from control.registry.entry import Remote as At
from control.registry.installation import Installation
from control.registry.team import NewTeam
from control.registry.tool_definitions import found_tools
from control.store.pool import transaction
from core.probes import Probe
from tests.console.registry_seeds import ASKS, BEARER, SECRET, an_entry, an_installation, kept
from tests.console.serving import MAKER, Console, Reader, reading
from tests.fakes.registry import gateway_fields

WITHIN_S = 30.0


async def installations(console: Console) -> list[str]:
    async with transaction(console.pool, readonly=True) as connection:
        return [row["id"] for row in await connection.fetch("select id from installations order by id")]


async def settled(reader: Reader, installation_id: str) -> str:
    """What the page's event stream says until the server has answered."""
    told = ""
    async with asyncio.timeout(WITHIN_S):
        async with reader.http.get(f"{reader.url}/installations/{installation_id}/state") as answer:
            assert answer.content_type == "text/event-stream"
            async for piece in answer.content.iter_any():
                told += piece.decode()
    assert told.endswith("event: done\ndata: done\n\n")
    return told


async def shown(console: Console, entry: Entry, installation: Installation, slug: str, *, pinned: bool) -> None:
    """A gateway shows a tool of it."""
    async with changing(console.pool, MAKER) as write:
        found = found_tools([{"name": "search", "inputSchema": {"type": "object"}}], [])
        now = await kept(console, installation.id)
        assert await discoveries.keep_server(write, entry, now, {"era": "modern"}, found.tools)
    async with changing(console.pool, MAKER) as write:
        gateway = await gateways.create(write, gateway_fields(slug=slug, name=slug.title()))
        wanted = WantedTools(entry=entry.slug, tools=["search"], installation=installation.id if pinned else None)
        await assignments.create(write, gateway.id, wanted)


async def test_a_person_installs_for_themselves_and_follows_the_question_to_its_answer(console: Console) -> None:
    entry = await an_entry(console, fields=ASKS, credential=BEARER)
    console.proxy.hold = asyncio.Event()
    console.proxy.offers("search", "find")
    async with reading(console, await console.person("Bea")) as reader:
        _, text = await reader.get(f"/registry/{entry.id}/install")
        assert "Myself" in text
        assert "The whole organisation" not in text
        answers = {"values.account": "12", "values.token": "t0ken", "values.region": "us", "values.sandbox": "true"}
        status, text, where = await reader.post(
            f"/registry/{entry.id}/install", whose="personal", credential=SECRET, name="", protocol="auto", **answers
        )
        assert status == 303, text
        (made,) = await installations(console)
        assert where == f"/installations/{made}?said=installed"
        await console.proxy.asked.wait()
        _, text = await reader.get(f"/installations/{made}")
        assert "Its server is being asked" in text
        assert f'data-live="/installations/{made}/state"' in text
        console.proxy.hold.set()
        told = await settled(reader, made)
        assert "Ready" in told
        row = await kept(console, made)
        assert (row.plain_values, row.secret_names) == (
            {"account": "12", "region": "us", "sandbox": True}, ("credential", "token"),
        )  # fmt: skip
        for path in (f"/installations/{made}", f"/installations/{made}/change", "/my/connections", "/installations"):
            _, text = await reader.get(path)
            assert SECRET not in unescape(text), path
            assert "t0ken" not in unescape(text), path
        (question,) = console.proxy.questions
        assert question.installation.own_headers["authorization"] == f"Bearer {SECRET}"


async def test_what_is_wrong_comes_back_at_its_question_without_the_secrets(console: Console) -> None:
    entry = await an_entry(console, fields=ASKS, credential=BEARER)
    async with reading(console, await console.person("Bea")) as reader:
        status, text, _ = await reader.post(
            f"/registry/{entry.id}/install", whose="personal", credential=SECRET, protocol="auto", name="",
            **{"values.account": "", "values.token": "t0ken", "values.region": "mars"},
        )  # fmt: skip
        text = unescape(text)
        assert status == 422
        assert 'aria-describedby="values.account-error' in text
        assert "Account is needed: Account (string)." in text
        assert SECRET not in text
        assert "t0ken" not in text
        status, text, _ = await reader.post(
            f"/registry/{entry.id}/install", whose="personal", credential="", **{"values.account": "1"}
        )
        assert status == 422
        assert 'aria-describedby="credential-error' in text
    assert not await installations(console)


@pytest.mark.parametrize(("role", "team_role", "offered"), [
    ("member", None, ["personal"]),
    ("member", "member", ["personal"]),
    ("member", "editor", ["personal", "team"]),
    ("editor", None, ["personal", "team", "organisation"]),
])  # fmt: skip
async def test_for_whom_one_may_install_is_offered_and_nothing_else(
    console: Console, role: str, team_role: str | None, offered: list[str]
) -> None:
    entry, ann = await an_entry(console), await console.person("Ann", role)  # type: ignore[arg-type]  # from the table
    async with changing(console.pool, MAKER) as write:
        red = await teams.create(write, NewTeam(name="Red", description=""))
        if team_role is not None:
            await teams.set_member(write, red.id, ann.id, team_role)  # type: ignore[arg-type]  # from the table
    path = f"/registry/{entry.id}/install"
    async with reading(console, ann) as reader:
        _, text = await reader.get(path)
        choices = {"personal": "personal", "team": f"team:{red.id}", "organisation": "organisation"}
        for scope, value in choices.items():
            assert (f'<option value="{value}"' in text) == (scope in offered), scope
            status, _, _ = await reader.post(path, whose=value, name="", protocol="auto")
            assert (status == 303) == (scope in offered), (scope, status)


async def test_a_client_that_acts_by_itself_is_given_with_its_key_in_lines_and_never_shown(console: Console) -> None:
    shared = ClientCredentials(issuer="http://127.0.0.1:9/id", client_authentication="private_key_jwt")
    entry = await an_entry(console, credential=shared)
    key = "-----BEGIN " + "PRIVATE KEY-----\nabc\n-----END " + "PRIVATE KEY-----"
    path = f"/registry/{entry.id}/install"
    async with reading(console, await console.person("Ed", "editor")) as reader:
        _, text = await reader.get(path)
        assert "Client secret or private key" in text
        assert 'name="values.client_id"' in text
        status, text, _ = await reader.post(path, whose="organisation", credential=key.replace("\n", "\r\n"))
        assert status == 422
        assert 'aria-describedby="values.client_id-error' in text
        assert "abc" not in text
        sent = {"values.client_id": "reports", "credential": key.replace("\n", "\r\n")}
        status, text, _ = await reader.post(path, whose="organisation", **sent)
        assert status == 303, text
        (made,) = await installations(console)
        row = await kept(console, made)
        assert row.plain_values == {"client_id": "reports"}
        assert console.deps.seals.open_secret_values(made, row.secret_values) == {"credential": key}
        _, text = await reader.get(f"/installations/{made}/change")
        assert 'value="reports"' in text
        assert "abc" not in text


async def test_who_signs_in_with_their_own_account_is_led_to_the_provider(console: Console) -> None:
    entry, bea = await an_entry(console, "github", credential=OAuthCredential()), await console.person("Bea")
    here = f"/install/github?as=user%3A{bea.id}"
    async with reading(console, bea) as reader:
        for path in (f"/registry/{entry.id}/install", "/my/connections"):
            assert f'href="{here}"' in (await reader.get(path))[1], path
        made = await an_installation(console, entry, bea)
        console.proxy.answer = Probe(era="", version="", fault="upstream_credential", sentence="Sign in first.")
        await reader.post(f"/installations/{made.id}/discover")
        told = await settled(reader, made.id)
        assert f'href="{here}&amp;installation={made.id}">Sign in at the provider' in told
        _, text = await reader.get("/my/connections")
        assert f'href="{here}&amp;installation={made.id}" aria-label="Sign in at Github again"' in text


async def test_a_second_one_has_a_name_of_its_own_and_may_go_before_the_first(console: Console) -> None:
    entry = await an_entry(console)
    async with reading(console, await console.person("Bea")) as reader:
        assert (await reader.post(f"/registry/{entry.id}/install", whose="personal"))[0] == 303
        status, text, _ = await reader.post(f"/registry/{entry.id}/install", whose="personal")
        assert status == 409
        assert 'aria-describedby="name-error' in text
        sent = {"whose": "personal", "name": "Staging", "default": "true"}
        status, text, _ = await reader.post(f"/registry/{entry.id}/install", **sent)
        assert status == 303, text
        first, second = [await kept(console, one) for one in await installations(console)]
        assert (first.is_default, second.is_default) == (False, True)
        assert "another one of its owner goes first" in (await reader.get(f"/installations/{first.id}"))[1]
        sent = {"name": first.name, "protocol": "auto", "default": "true"}
        assert (await reader.post(f"/installations/{first.id}/change", **sent))[0] == 303
        assert (await kept(console, first.id)).is_default


@pytest.mark.parametrize("path", ["/installations/{}", "/install/done/{}"])
async def test_a_page_that_is_made_while_the_server_answers_says_what_it_answered(
    console: Console, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    installation = await an_installation(console, await an_entry(console))

    async def ends(_: DiscoveriesUnderWay, installation_id: str) -> bool:
        """It has ended when this is asked, and not before."""
        async with transaction(console.pool) as connection:
            told = {"tools": 7, "server_name": "Answers"}
            await connection.execute(
                "update installations set state = 'ready', server = $2 where id = $1", installation_id, told
            )
        return False

    monkeypatch.setattr(DiscoveriesUnderWay, "goes_on", ends)
    async with reading(console, await console.person("Ed", "editor")) as reader:
        _, text = await reader.get(path.format(installation.id))
    assert "Ready" in text or "7 tools" in text


async def test_a_server_that_is_away_is_told_with_cause_and_cure_and_asked_again(console: Console) -> None:
    entry = await an_entry(console)
    installation = await an_installation(console, entry)
    console.proxy.answer = Probe(
        era="", version="", fault="upstream_unreachable", sentence="It refused\u202e the connection."
    )
    path = f"/installations/{installation.id}"
    async with reading(console, await console.person("Ed", "editor")) as reader:
        assert "not asked yet" in (await reader.get("/installations"))[1]
        assert (await reader.post(f"{path}/discover"))[2] == path
        told = await settled(reader, installation.id)
        assert "It refused" in told
        assert "\u202e" not in told
        assert "See whether the server runs and can be reached" in told
        _, text = await reader.get("/installations?state=unreachable")
        assert "unreachable" in text
        console.proxy.offers("search")
        await reader.post(f"{path}/discover")
        assert "Ready" in await settled(reader, installation.id)


async def test_a_list_is_filtered_by_entry_owner_and_state(console: Console) -> None:
    github, time = await an_entry(console, "github"), await an_entry(console, "time")
    ed = await console.person("Ed", "editor")
    ours = await an_installation(console, github, name="Ours")
    mine = await an_installation(console, time, ed, name="Mine")
    async with reading(console, ed) as reader:
        for query, found in (
            (f"entry_id={github.id}", [ours]), ("scope=personal", [mine]), ("state=new", [ours, mine]),
            ("state=ready", []),
        ):  # fmt: skip
            _, text = await reader.get(f"/installations?{query}")
            assert [one for one in (ours, mine) if f"/installations/{one.id}" in text] == found, query


async def test_a_change_keeps_a_secret_that_was_not_typed_and_takes_away_what_was_ticked(
    console: Console,
) -> None:
    entry, bea = await an_entry(console, fields=ASKS, credential=BEARER), await console.person("Bea")
    made = await an_installation(console, entry, bea, values={"account": "12", "token": "t0ken"})
    path, form = f"/installations/{made.id}", {"protocol": "auto", "values.account": "13", "values.region": "eu"}
    async with reading(console, bea) as reader:
        _, text = await reader.get(f"{path}/change")
        assert text.count("One is stored. Type another to replace it.") == 2
        status, text, where = await reader.post(
            f"{path}/change", name="Mine", version=str(made.version), credential="", **form
        )
        assert (status, where) == (303, f"{path}?said=installation-changed"), text
        row = await kept(console, made.id)
        assert (row.name, row.plain_values["account"], row.secret_names) == ("Mine", "13", ("credential", "token"))
        assert (await reader.post(f"{path}/change", name="Late", version=str(made.version), **form))[0] == 412
        await reader.post(f"{path}/change", name="Mine", **form, **{"take.token": "true"})
        assert (await kept(console, made.id)).secret_names == ("credential",)


async def test_nobody_gives_anothers_answers_but_may_rename_what_they_keep(console: Console) -> None:
    entry, bea = await an_entry(console, fields=ASKS, credential=BEARER), await console.person("Bea")
    made = await an_installation(console, entry, bea, values={"account": "12"})
    path = f"/installations/{made.id}"
    async with reading(console, await console.person("Ed", "editor")) as reader:
        _, text = await reader.get(f"{path}/change")
        assert "Its answers are its owner" in text
        assert 'name="credential"' not in text
        status, text, _ = await reader.post(f"{path}/change", name="Hers", protocol="auto")
        assert status == 303, text
        status, text, _ = await reader.post(f"{path}/change", name="x", protocol="auto", credential="stolen")
        assert status == 403
    async with reading(console, await console.person("Carl")) as reader:
        for under in ("", "/change", "/state"):
            assert (await reader.get(path + under))[0] == 404
        assert (await reader.post(f"{path}/discover"))[0] == 404


async def test_who_can_use_it_is_said_in_words_with_the_gateways(console: Console) -> None:
    entry = await an_entry(console)
    ours = await an_installation(console, entry)
    await shown(console, entry, ours, "sales", pinned=True)
    await shown(console, entry, ours, "support", pinned=False)
    async with reading(console, await console.person("Ed", "editor")) as reader:
        _, text = await reader.get(f"/installations/{ours.id}")
        text = unescape(text)
        assert "Everybody for whom there is none of their own and none of their team." in text
        gateway = r'<a href="/gateways/[0-9a-f-]{36}"><bdi>'
        assert re.search(rf"<dt>Chosen at call time</dt><dd>{gateway}Support</bdi></a></dd>", text)
        assert re.search(rf"{gateway}Sales</bdi></a> <span[^>]*>for whoever sees the gateway", text)
        assert "1 tool on the gateway 'sales'" in text
        assert (await reader.post(f"/installations/{ours.id}/delete"))[0] == 409
        _, _, where = await reader.post(f"/installations/{ours.id}/delete", cascade="true")
        assert where == "/installations?said=installation-deleted"


async def test_the_tools_of_an_entry_are_found_through_another_installation(console: Console) -> None:
    entry, ed = await an_entry(console), await console.person("Ed", "editor")
    ours, mine = await an_installation(console, entry), await an_installation(console, entry, ed)
    async with reading(console, ed) as reader:
        for one in (ours, mine):
            sent = {"installation_id": one.id}
            _, _, where = await reader.post(f"/registry/{entry.id}/discover-through", **sent)
            assert where == f"/registry/{entry.id}?said=discovers-through"
            assert (await kept(console, one.id)).discovers
            _, text = await reader.get(f"/installations/{one.id}")
            assert "are found through this installation" in text
        _, text = await reader.get(f"/installations/{ours.id}")
        assert "Find its tools through this one" in text
        sent = {"installation_id": "x"}
        assert (await reader.post(f"/registry/{entry.id}/discover-through", **sent))[0] == 422


async def test_my_connections_are_ones_own_with_what_needs_one_and_what_one_may_connect(console: Console) -> None:
    github, time = await an_entry(console, "github", credential=BEARER), await an_entry(console, "time")
    bea = await console.person("Bea")
    made = await an_installation(console, github, bea, name="Laptop")
    await an_installation(console, time)
    async with changing(console.pool, MAKER) as write:
        await entries.change(write, console.deps.safeguards, github.id, moved)
    async with reading(console, bea) as reader:
        _, text = await reader.get("/my/connections")
        assert "1 connection needs you" in text
        assert "were given for another address of this server" in text
        assert (
            f'href="/installations/{made.id}/change" aria-label="Give the answers for Github again">Reconnect' in text
        )
        assert f'href="/registry/{time.id}/install"' in text
        _, _, where = await reader.post(f"/installations/{made.id}/delete", cascade="true", back="connections")
        assert where == "/my/connections?said=installation-deleted"
        _, text = await reader.get("/my/connections")
        assert "Nothing of yours is connected" in text
        assert f'href="/registry/{github.id}/install"' in text


async def test_a_connection_whose_server_was_never_asked_is_asked_from_there(console: Console) -> None:
    bea = await console.person("Bea")
    made = await an_installation(console, await an_entry(console), bea, name="Github")
    console.proxy.offers("search")
    async with reading(console, bea) as reader:
        _, text = await reader.get("/my/connections")
        assert f'action="/installations/{made.id}/discover"' in text
        assert "<bdi>Github</bdi></p>" not in text, "the name of the entry is not said twice"
        await reader.post(f"/installations/{made.id}/discover")
        assert "Ready" in await settled(reader, made.id)
        _, text = await reader.get("/my/connections")
        assert "Ask it now" not in text


def moved(entry: Entry) -> WantedEntry:
    """The entry at another address."""
    return replace(WantedEntry(**entry_fields(entry)), reached=At("http://127.0.0.2:9/mcp"))


async def test_a_refused_credential_is_given_again_and_the_server_is_asked_with_it(console: Console) -> None:
    entry = await an_entry(console, credential=BEARER)
    why = "The server answered 401."
    console.proxy.answer = Probe(era="", version="", fault="upstream_credential", sentence=why)
    async with reading(console, await console.person("Bea")) as reader:
        await reader.post(f"/registry/{entry.id}/install", whose="personal", credential="wrong")
        (made,) = await installations(console)
        assert "Credential refused" in await settled(reader, made)
        console.proxy.offers("search")
        form = {"name": "Mine", "protocol": "auto", "credential": "right"}
        _, _, where = await reader.post(f"/installations/{made}/change", **form)
        assert where.endswith("installation-changed")
        assert "Ready" in await settled(reader, made)
        assert console.proxy.questions[-1].installation.own_headers["authorization"] == "Bearer right"
