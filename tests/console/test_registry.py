"""Pages of the registry over plain HTTP: found, added, changed, curated and deleted, by those who may."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from control.changes import assignments, discoveries, gateways, teams
from control.changes.assignments import WantedTools
from control.changes.write import changing
from control.registry.caller_statement import CallerStatement
from control.registry.credential import NoCredential, OAuthCredential
from control.registry.entry import Entry
from control.registry.entry_tool import EntryTool
from control.registry.owner import Organisation
from control.registry.team import NewTeam
from control.registry.tool_definitions import found_tools
from control.store import entries, installations, tools
from control.store.pool import transaction
from tests.console.registry_seeds import ASKS, BEARER, SECRET, an_entry, an_installation
from tests.console.serving import MAKER, Console, reading
from tests.fakes.registry import gateway_fields


def filled(**changes: str) -> dict[str, str]:
    """The form of an entry as somebody fills it."""
    return {
        "name": "GitHub", "slug": "github", "url": "http://127.0.0.1:9/mcp", "description": "", "docs_url": "",
        "labels": "team=sales\narea=code", "credential_model": "static", "static-style": "header",
        "static-header": "X-Api-Key", "visibility": "organisation", "isolation": "principal", "deadline_s": "2.5",
        "passthrough": "true", "fields[0].name": "account", "fields[0].type": "number",
        "fields[0].header": "X-Account", "fields[0].title": "Account", "fields[0].description": "",
        "fields[0].default": "7", "fields[0].options": "", "fields[0].required": "true",
        "fixed_headers[0].name": "X-Fixed", "fixed_headers[0].value": SECRET,
    } | changes  # fmt: skip


async def kept(console: Console, slug: str = "github") -> Entry:
    async with transaction(console.pool, readonly=True) as connection:
        found = await entries.by_slug(connection, slug)
    assert found is not None
    return found


async def discovered(console: Console, entry: Entry, *names: str, **definition: Any) -> list[EntryTool]:
    """Through one installation, however often: an entry's tools are found through one of them."""
    async with transaction(console.pool, readonly=True) as connection:
        made = await installations.candidates(connection, [entry.id], [Organisation()])
    installation = made[0] if made else await an_installation(console, entry, name="Of all")
    found = found_tools([{"name": name, "inputSchema": {"type": "object"}, **definition} for name in names], [])
    async with changing(console.pool, MAKER) as write:
        now = await entries.one(write.connection, entry.id)
        assert now is not None
        facts = {"era": "modern", "tools": len(names), "rejected": [{"name": "bad", "reason": "It has no name."}]}
        assert await discoveries.keep_server(write, now, installation, facts, found.tools)
        return await tools.named(write.connection, entry.id, ["*"])


async def test_cards_are_found_by_name_label_and_kind_in_the_address(console: Console) -> None:
    await an_entry(console, "github", labels={"team": "sales"}, credential=BEARER)
    await an_entry(console, "time", docs_url="https://docs.example.com/time")
    async with reading(console, await console.person("Ed", "editor")) as reader:
        _, text = await reader.get("/registry")
        assert [name in text for name in ("Github", "Time", "team</bdi>=<bdi>sales")] == [True] * 3
        assert 'href="https://docs.example.com/time"' in text
        for address, found in (
            ("text=hub", "Github"),
            ("label=team%3Dsales", "Github"),
            ("credential_model=none", "Time"),
        ):
            _, text = await reader.get(f"/registry?{address}")
            assert [name for name in ("Github", "Time") if f"<bdi>{name}</bdi>" in text] == [found], address
        assert "No entry is found" in (await reader.get("/registry?text=nothing"))[1]


async def test_cards_come_in_pages_that_keep_the_filter(console: Console) -> None:
    for number in range(3):
        await an_entry(console, f"tool-{number}")
    async with reading(console, await console.person("Ed", "editor")) as reader:
        _, text = await reader.get("/registry?text=tool&limit=2")
        following = re.search(r'href="(/registry\?text=tool&amp;limit=2&amp;cursor=[^"]+)"', text)
        assert following is not None
        _, text = await reader.get(unescape(following[1]))
        assert "Tool-2" in text
        assert "Tool-0" not in text


async def test_a_card_says_how_much_there_is_but_counts_no_installation_of_others(
    console: Console,
) -> None:
    entry = await an_entry(console)
    await discovered(console, entry, "search", "find")
    await an_installation(console, entry, await console.person("Carl"))
    async with reading(console, await console.person("Ed", "editor")) as reader:
        assert "2 tools, 2 installations" in (await reader.get("/registry"))[1]
    async with reading(console, await console.person("Bea")) as reader:
        assert "2 tools, 1 installation<" in (await reader.get("/registry"))[1]


async def test_an_entry_is_added_with_all_that_was_typed_and_no_secret_comes_back(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        status, text, where = await reader.post("/registry/new", **filled())
        assert status == 303, text
        made = await kept(console)
        assert where == f"/registry/{made.id}?said=entry-made"
        assert made.labels == {"team": "sales", "area": "code"}
        assert (made.deadline_s, made.fixed_header_names) == (2.5, ("x-fixed",))
        assert (made.fields[0].name, made.fields[0].default, made.fields[0].header) == ("account", 7, "x-account")
        assert made.credential == type(BEARER)("header", "x-api-key")
        for path in ("/registry", f"/registry/{made.id}", f"/registry/{made.id}/change"):
            assert SECRET not in unescape((await reader.get(path))[1]), path


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"url": "ftp://x"}, "url", "URL must begin with"),
        ({"slug": "No Slug"}, "slug", "Short name must be 1 to 63 of a-z"),
        ({"static-header": "bad name"}, "static-header", "Header "),
        ({"fields[0].header": "x-fixed"}, "fields[0].header", "is already filled by the entry"),
        ({"fields[0].type": "select"}, "fields[0].options", "needs 1 to 100 different values"),
        ({"fields[0].default": "many"}, "fields[0].default", "must be a number"),
        ({"fixed_headers[0].value": "a\x01b"}, "fixed_headers[0].value", "Value "),
        ({"deadline_s": "soon"}, "deadline_s", "Longest wait for an answer must be a number"),
        ({"labels": "Bad Label=x"}, "labels", "Labels "),
    ],
)  # fmt: skip
async def test_what_is_wrong_comes_back_at_its_field_with_the_rest_and_without_secrets(
    console: Console, changes: dict[str, str], field: str, sentence: str
) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        status, text, _ = await reader.post("/registry/new", **filled(**changes))
    text = unescape(text)
    assert status == 422
    assert sentence in text
    assert f'aria-describedby="{field}-error' in text
    assert 'value="GitHub"' in text
    assert SECRET not in text


async def test_rows_come_and_go_by_buttons_without_a_script_and_nothing_is_saved(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        status, text, _ = await reader.post("/registry/new", **filled(more="fields"))
        assert status == 200
        assert re.findall(r'name="fields\[(\d)\]\.name"', text) == ["0", "1"]
        assert 'value="X-Account"' in text
        _, text, _ = await reader.post("/registry/new", **filled(drop="fields[0]"))
        assert 'name="fields[' not in text
        async with transaction(console.pool, readonly=True) as connection:
            assert await entries.by_slug(connection, "github") is None
        status, _, _ = await reader.post(
            "/registry/new", **filled(**{"fields[1].name": "", "fields[1].type": "string"})
        )
        assert status == 303


async def test_a_change_keeps_fixed_headers_that_were_not_typed_again_and_says_what_uses_it(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        await reader.post("/registry/new", **filled())
        entry = await kept(console)
        await an_installation(console, entry, values={"account": 1})
        _, text = await reader.get(f"/registry/{entry.id}/change")
        assert "In use by the organisation installation" in text
        form = filled(name="Hub", version=str(entry.version))
        form = {name: value for name, value in form.items() if not name.startswith("fixed_headers")}
        status, text, where = await reader.post(f"/registry/{entry.id}/change", **form)
        assert (status, where) == (303, f"/registry/{entry.id}?said=entry-changed"), text
        assert (await kept(console)).name == "Hub"
        assert (await kept(console)).fixed_header_names == ("x-fixed",)
        status, text, _ = await reader.post(f"/registry/{entry.id}/change", **form)
        assert status == 412
        version = str((await kept(console)).version)
        await reader.post(f"/registry/{entry.id}/change", **form | {"version": version, "fixed_headers_none": "true"})
        assert (await kept(console)).fixed_header_names == ()


async def test_an_entry_that_moves_takes_no_secret_along(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        await reader.post("/registry/new", **filled())
        entry = await kept(console)
        moved = filled(url="http://127.0.0.2:9/mcp", version=str(entry.version))
        without = {name: value for name, value in moved.items() if not name.startswith("fixed_headers")}
        status, text, _ = await reader.post(f"/registry/{entry.id}/change", **without)
        assert status == 422
        assert "Its fixed headers were given for http://127.0.0.1:9/mcp; give them again for the new url" in unescape(
            text
        )
        _, _, where = await reader.post(f"/registry/{entry.id}/change", **moved)
        assert where.endswith("said=entry-moved")


@pytest.mark.parametrize(
    "changes", [{"url": "http://127.0.0.2:9/mcp"}, {"static-header": "x-log"}, {"static-style": "bearer"}]
)
async def test_an_entry_that_is_made_to_lead_elsewhere_takes_no_key_along(
    console: Console, changes: dict[str, str]
) -> None:
    """Another address, another header, another style: the page changes it as the API does."""
    async with reading(console, await console.person("Ed", "editor")) as reader:
        plain = {name: text for name, text in filled().items() if not name.startswith("fixed_headers")}
        await reader.post("/registry/new", **plain)
        entry = await kept(console)
        installation = await an_installation(console, entry, values={"account": 7}, credential=SECRET)
        if "static-style" in changes:
            plain.pop("static-header")
        moved = plain | changes | {"version": str(entry.version)}
        status, text, _ = await reader.post(f"/registry/{entry.id}/change", **moved)
        assert status == 303, text
        _, text = await reader.get(f"/installations/{installation.id}")
    assert "It has secrets that were given" in unescape(text)
    assert SECRET not in text


async def test_a_question_without_a_header_stands_in_the_url(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        form = filled(url="http://127.0.0.1:9/{account}/mcp", **{"fields[0].header": ""})
        status, text, _ = await reader.post("/registry/new", **form)
        assert status == 303, text
        entry = await kept(console)
        assert (entry.reached.url, entry.fields[0].fills_place) == ("http://127.0.0.1:9/{account}/mcp", True)
        _, text = await reader.get(f"/registry/{entry.id}/install")
        assert "Stands in the server's address or command, for {account}." in unescape(text)
        wrong = filled(slug="other", url="http://127.0.0.1:9/x{account}", **{"fields[0].header": ""})
        status, text, _ = await reader.post("/registry/new", **wrong)
    assert status == 422
    assert "URL has the placeholder {account} where none can stand" in unescape(text)


async def test_an_editor_of_a_team_makes_its_own_entry_which_it_alone_sees(console: Console) -> None:
    ann, bea = await console.person("Ann"), await console.person("Bea")
    async with changing(console.pool, MAKER) as write:
        red = await teams.create(write, NewTeam(name="Red", description=""))
        await teams.set_member(write, red.id, ann.id, "editor")
    async with reading(console, ann) as reader:
        _, text = await reader.get("/registry/new")
        assert "The team Red" in text
        assert "The organisation<" not in text
        status, text, where = await reader.post("/registry/new", **filled(team_id=red.id))
        assert status == 303, text
        made = await kept(console)
        assert (made.team_id, made.visibility, made.teams) == (red.id, "teams", (red.id,))
        _, _, where = await reader.post(
            f"/registry/{made.id}/change", **filled(name="Ours", team_id=red.id, version=str(made.version))
        )
        assert where.endswith("entry-changed")
    async with reading(console, bea) as reader:
        assert (await reader.get(f"/registry/{made.id}"))[0] == 404
        assert (await reader.get(f"/registry/{made.id}/install"))[0] == 404
        assert (await reader.post(f"/registry/{made.id}/install", whose="personal"))[0] == 404
        assert "GitHub" not in (await reader.get("/find?q=hub"))[1]
        assert (await reader.get("/registry/new"))[0] == 404
        assert "GitHub" not in (await reader.get("/registry"))[1]


async def test_a_server_of_the_catalog_fills_the_form_in(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        _, text = await reader.get("/registry/catalog")
        assert 'href="/registry/new?from=linear"' in text
        assert "not run by us" in text
        assert f"{console.url}/install/callback/github<" in text
        _, text = await reader.get("/registry/new?from=bigquery")
        assert 'value="https://bigquery.googleapis.com/mcp"' in text
        assert "access_type=offline" in text
        assert (await reader.get("/registry/new?from=nothing"))[0] == 200


async def test_deleting_names_what_goes_and_takes_it_along(console: Console) -> None:
    entry = await an_entry(console)
    (tool,) = await discovered(console, entry, "search")
    async with changing(console.pool, MAKER) as write:
        gateway = await gateways.create(write, gateway_fields(slug="sales", name="Sales"))
        await assignments.create(write, gateway.id, WantedTools(entry=entry.slug, tools=[tool.name]))
    async with reading(console, await console.person("Ed", "editor")) as reader:
        _, text = await reader.get(f"/registry/{entry.id}")
        text = unescape(text)
        assert "the organisation installation 'Of all" in text
        assert "1 tool on the gateway 'sales'" in text
        status, _, _ = await reader.post(f"/registry/{entry.id}/delete")
        assert status == 409
        _, _, where = await reader.post(f"/registry/{entry.id}/delete", cascade="true", version=str(entry.version))
        assert where == "/registry?said=entry-deleted"
        assert (await reader.get(f"/registry/{entry.id}"))[0] == 404


async def test_a_tool_is_put_into_quarantine_and_released_and_its_change_acknowledged(console: Console) -> None:
    entry = await an_entry(console)
    await discovered(console, entry, "search", description="Searches.")
    (tool,) = await discovered(console, entry, "search", description="Searches\u2800 everything. <script>")
    path = f"/registry/{entry.id}/tools/{tool.id}"
    async with reading(console, await console.person("Ed", "editor")) as reader:
        _, text = await reader.get(f"/registry/{entry.id}")
        assert "1 tool says something else than before" in text
        _, text = await reader.get(path)
        assert "Searches⟨U+2800⟩ everything. &lt;script&gt;" in text
        assert "What changed since somebody looked" in text
        _, _, where = await reader.post(f"{path}/acknowledge", version=str(tool.version))
        assert where == f"{path}?said=tool-acknowledged"
        assert "What changed" not in (await reader.get(path))[1]
        assert (await reader.post(f"{path}/quarantine", version=str(tool.version)))[0] == 412
        _, _, where = await reader.post(f"{path}/quarantine")
        assert where == f"{path}?said=tool-quarantined"
        assert "in quarantine" in (await reader.get(f"/registry/{entry.id}"))[1]
        _, _, where = await reader.post(f"{path}/release")
        assert where == f"{path}?said=tool-released"
    async with reading(console, await console.person("Bea")) as reader:
        assert "Quarantine" not in (await reader.get(path))[1]
        assert (await reader.post(f"{path}/quarantine"))[0] == 403


async def test_an_entry_asks_what_it_asks(console: Console) -> None:
    entry = await an_entry(console, fields=ASKS, credential=BEARER)
    async with reading(console, await console.person("Bea")) as reader:
        _, text = await reader.get(f"/registry/{entry.id}/install")
    for told in ("Key or token", "Account", "Second token", "Sent as the header x-region. Usually eu.", "Sandbox"):
        assert told in text, told


SIGNS_IN = {
    "credential_model": "oauth", "oauth-registration": "own", "oauth-client_id": "archway", "client_secret": SECRET,
    "oauth-client_authentication": "client_secret_basic", "oauth-issuer": "http://127.0.0.1:9/id",
    "oauth-scopes": "read write", "oauth-authorize_parameters": "prompt=consent",
}  # fmt: skip


async def test_an_entry_whose_people_sign_in_keeps_its_clients_secret_until_the_provider_is_another(
    console: Console,
) -> None:
    form = filled(**SIGNS_IN)
    form = {name: value for name, value in form.items() if not name.startswith("fixed_headers")}
    async with reading(console, await console.person("Ed", "editor")) as reader:
        assert f"{console.url}/install/callback/SHORT-NAME" in (await reader.get("/registry/new"))[1]
        status, text, _ = await reader.post("/registry/new", **form)
        assert status == 303, text
        made = await kept(console)
        assert isinstance(made.credential, OAuthCredential)
        assert (made.credential.client_id, made.credential.scopes) == ("archway", ("read", "write"))
        assert made.client_secret is not None
        path = f"/registry/{made.id}/change"
        _, text = await reader.get(path)
        assert "One is stored. Type another to replace it." in text
        assert SECRET not in unescape(text)
        status, text, _ = await reader.post(path, **form | {"client_secret": "", "version": str(made.version)})
        assert status == 303, text
        moved = form | {"client_secret": "", "version": "", "oauth-issuer": "http://127.0.0.1:9/other"}
        status, text, _ = await reader.post(path, **moved)
        assert status == 422
        assert "Client secret was given for another provider or client; give it again" in unescape(text)
        assert (await kept(console)).client_secret is not None
        await reader.post(path, **moved | {"client_secret_none": "true"})
        assert (await kept(console)).client_secret is None


async def test_what_stands_in_a_kind_that_is_not_chosen_is_left_alone(console: Console) -> None:
    form = filled(**SIGNS_IN | {"credential_model": "none"})
    async with reading(console, await console.person("Ed", "editor")) as reader:
        status, text, _ = await reader.post("/registry/new", **form)
        assert status == 303, text
        made = await kept(console)
        assert made.credential == NoCredential()
        assert made.client_secret is None


async def test_what_is_wrong_with_a_setting_of_signing_in_stands_at_it(console: Console) -> None:
    async with reading(console, await console.person("Ed", "editor")) as reader:
        for changes, field in (
            ({"oauth-client_id": ""}, "oauth-client_id"),
            ({"oauth-registration": "dynamic"}, "oauth-registration"),
            ({"oauth-token_endpoint": "not a url"}, "oauth-token_endpoint"),
            ({"oauth-authorize_parameters": "state=1"}, "oauth-authorize_parameters"),
            ({"oauth-approved_hosts": "https://a.example.com/path"}, "oauth-approved_hosts"),
        ):
            status, text, _ = await reader.post("/registry/new", **filled(**SIGNS_IN | changes))
            assert status == 422
            assert f'aria-describedby="{field}-error' in text, field


async def test_what_a_server_is_told_of_callers_is_chosen_shown_and_judged_at_its_fields(console: Console) -> None:
    told = {"statement-form": "jwt", "statement-header": "X-Who", "statement-tells-email": "true"}
    async with reading(console, await console.person("Ed", "editor")) as reader:
        status, text, _ = await reader.post("/registry/new", **filled(**told))
        assert status == 303, text
        entry = await kept(console)
        assert entry.caller_statement == CallerStatement(header="x-who", tells=("subject", "email"))
        page = f"/registry/{entry.id}"
        assert "a signed statement in" in (await reader.get(page))[1]
        form = (await reader.get(f"{page}/change"))[1]
        assert 'name="statement-tells-email" type="checkbox" value="true" checked' in form
        version = {"version": str(entry.version)}
        wrong = {"statement-form": "headers", "statement-headers-email": "mcp-name"}
        status, text, _ = await reader.post(f"{page}/change", **filled(**wrong, **version))
        assert status == 422
        assert 'aria-describedby="statement-headers-email-error' in text
        status, text, _ = await reader.post(f"{page}/change", **filled(**version))
        assert status == 303, text
        assert (await kept(console)).caller_statement is None
