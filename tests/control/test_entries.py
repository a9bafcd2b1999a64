"""Registry entries through the admin API, on a real PostgreSQL."""

import pytest

from control.credentials import matrix
from control.credentials.resolved import resolve_installation
from control.registry.row_seals import RowSeals
from control.store import entries, installations
from control.store.pool import transaction
from core.resolve import InstallationRefusal
from tests.control.registry_api import Api, api
from tests.fakes.registry import an_installation

__all__ = ["api"]

STATIC = {"credential_model": "static", "credential_placement": {"style": "header", "header": "X-Api-Key"}}


async def test_an_entry_is_shown_as_it_was_given_with_its_url_in_normal_form(api: Api) -> None:
    made = await api.entry(
        url="HTTPS://Time.Example:443/mcp",
        docs_url="https://docs.example/",
        labels={"area": "clock"},
        fields=[{"name": "account", "header": "X-Account", "title": "Account"}],
        **STATIC,
    )
    read = await api.get(f"/entries/{made['id']}")
    assert read == made
    assert read["url"] == "https://time.example/mcp"
    assert read["credential_placement"] == {"style": "header", "header": "x-api-key"}
    assert read["fields"][0]["header"] == "x-account"


async def test_fixed_headers_are_sealed_at_rest_and_shown_by_name_only(api: Api) -> None:
    made = await api.entry(fixed_headers={"X-Partner": "s3cr3t-partner-value"})
    assert made["fixed_header_names"] == ["x-partner"]
    assert "s3cr3t-partner-value" not in str(made)
    assert "s3cr3t-partner-value" not in await api.everything_as_text()
    async with transaction(api.pool, readonly=True) as connection:
        entry = await entries.one(connection, made["id"])
    assert entry is not None
    opened = RowSeals(api.ring).open(entry, an_installation())
    assert opened.fixed_headers == {"x-partner": "s3cr3t-partner-value"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://169.254.169.254/mcp"}, "url"),
        ({"url": "http://10.1.2.3/mcp"}, "url"),
        ({"url": "ftp://x.example"}, "url"),
        ({"url": "https://user:pw@x.example"}, "url"),
        ({"docs_url": "javascript:alert(1)"}, "docs_url"),
        ({"slug": "Not-A-Slug"}, "slug"),
        ({"slug": "0198d2a0-0000-7000-8000-000000000000"}, "slug"),
        ({"labels": {"Bad Label": "x"}}, "labels.Bad Label"),
        ({"visibility": "teams"}, "teams"),
        ({"credential_model": "static"}, "credential_placement"),
        ({"credential_placement": {"style": "bearer"}}, "credential_placement"),
        ({"fields": [{"name": "a", "header": "Host"}]}, "fields[0].header"),
        ({"fields": [{"name": "a", "header": "x-a", "type": "select"}]}, "fields[0].options"),
        ({"fixed_headers": {"Transfer-Encoding": "chunked"}}, "fixed_headers[0]"),
        ({"fixed_headers": {"X-A": "a\r\nx-b: c"}}, "fixed_headers.x-a"),
        ({"isolation": "everyone"}, "isolation"),
        ({"deadline_s": -1}, "deadline_s"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, changes: dict[str, object], field: str) -> None:
    body = {"slug": "time", "name": "Time", "url": "https://time.example/mcp", **changes}
    problem = await api.post("/entries", body, expect=422)
    assert problem["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "url",
    [
        "npx -y @modelcontextprotocol/server-filesystem /data",
        "docker run -i --rm mcp/time",
        "stdio:mcp-server-time",
        {"command": "uvx", "args": ["mcp-server-time"]},
        {"mcpServers": {"time": {"command": "uvx"}}},
    ],
)
async def test_a_command_in_place_of_the_url_is_told_what_to_do_with_it(api: Api, url: object) -> None:
    entry = await api.entry()
    for problem in (
        await api.post("/entries", {"slug": "clock", "name": "Clock", "url": url}, expect=422),
        await api.patch(f"/entries/{entry['id']}", {"url": url}, expect=422),
    ):
        (error,) = problem["errors"]
        assert error["field"] == "url"
        assert "have Archway run the command" in error["message"]
        assert "docs/administering/servers-we-run.md" in error["message"]


@pytest.mark.parametrize("kind", ["none", "static"])
async def test_a_credential_that_does_not_go_with_where_the_server_runs_is_not_saved(
    api: Api, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """What an entry can be today all goes together, so the cell is another here."""
    entry = await api.entry(**STATIC)
    body = {"credential_model": kind, **({"credential_placement": {"style": "bearer"}} if kind == "static" else {})}
    cell = matrix.Cell("refused", "goes with no server of this test")
    monkeypatch.setattr(matrix, "MATRIX", {**matrix.MATRIX, (kind, "remote"): cell})
    for problem in (
        await api.post(
            "/entries", {"slug": "clock", "name": "Clock", "url": "https://c.example/", **body}, expect=422
        ),
        await api.patch(f"/entries/{entry['id']}", body, expect=422),
    ):
        (error,) = problem["errors"]
        assert error == {"field": "credential_model", "message": f"{kind!r} goes with no server of this test"}


async def test_a_taken_slug_is_a_conflict(api: Api) -> None:
    await api.entry()
    problem = await api.post("/entries", {"slug": "time", "name": "T", "url": "https://x.example"}, expect=409)
    assert problem["errors"][0]["field"] == "slug"


async def test_a_member_sees_what_is_shown_to_their_teams(api: Api) -> None:
    blue, red = await api.team("blue"), await api.team("red")
    anna = await api.user("anna", blue)
    open_entry = await api.entry()
    theirs = await api.entry(slug="blue", visibility="teams", teams=[blue["id"]])
    other = await api.entry(slug="red", visibility="teams", teams=[red["id"]])
    seen = (await api.get("/entries", as_=anna))["items"]
    assert [entry["id"] for entry in seen] == [open_entry["id"], theirs["id"]]
    await api.get(f"/entries/{other['id']}", as_=anna, expect=404)
    await api.get(f"/entries/{other['id']}/tools", as_=anna, expect=404)


async def test_a_member_changes_no_entry(api: Api) -> None:
    anna = await api.user("anna")
    entry = await api.entry()
    await api.post("/entries", {"slug": "x", "name": "X", "url": "https://x.example"}, as_=anna, expect=403)
    await api.patch(f"/entries/{entry['id']}", {"name": "Mine"}, as_=anna, expect=403)
    await api.delete(f"/entries/{entry['id']}", as_=anna, expect=403)


async def test_lists_are_paged_and_filtered(api: Api) -> None:
    for slug in ("a", "b", "c"):
        await api.entry(slug=slug, labels={"letter": slug})
    first = await api.get("/entries?limit=2")
    second = await api.get(f"/entries?limit=2&cursor={first['next']}")
    assert [entry["slug"] for entry in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next"] is None
    assert [one["slug"] for one in (await api.get("/entries?label=letter=b"))["items"]] == ["b"]
    assert (await api.get("/entries?text=%25"))["items"] == []
    assert (await api.get("/entries?label=b", expect=422))["errors"][0]["field"] == "label"


async def test_entries_are_found_by_the_kind_of_their_credential(api: Api) -> None:
    await api.entry(slug="open")
    await api.entry(slug="keyed", credential_model="static", credential_placement={"style": "bearer"})
    for kind, slug in (("none", "open"), ("static", "keyed")):
        found = await api.get(f"/entries?credential_model={kind}")
        assert [one["slug"] for one in found["items"]] == [slug]
    refused = await api.get("/entries?credential_model=key", expect=422)
    assert refused["errors"][0]["field"] == "credential_model"


async def test_a_change_without_if_match_or_with_an_old_one_is_refused(api: Api) -> None:
    path = f"/entries/{(await api.entry())['id']}"
    await api.call("PATCH", path, {"name": "B"}, expect=428)
    await api.patch(path, {"name": "B"})
    await api.call("PATCH", path, {"name": "C"}, expect=412, tag='"1"')


async def test_a_part_that_is_changed_is_judged_with_the_others(api: Api) -> None:
    entry = await api.entry(fixed_headers={"x-api-key": "k"})
    problem = await api.patch(f"/entries/{entry['id']}", STATIC, expect=422)
    assert problem["errors"][0]["field"] == "credential_placement"


async def test_fixed_headers_do_not_follow_an_entry_to_another_origin(api: Api) -> None:
    path = f"/entries/{(await api.entry(fixed_headers={'x-partner': 'v'}))['id']}"
    moved = {"url": "https://elsewhere.example/mcp"}
    problem = await api.patch(path, moved, expect=422)
    assert problem["errors"][0]["field"] == "fixed_headers"
    assert (await api.patch(path, {**moved, "fixed_headers": {}}))["fixed_header_names"] == []


async def test_a_moved_entry_asks_for_the_credential_again_and_resolve_refuses_until_then(api: Api) -> None:
    entry = await api.entry(**STATIC)
    installed = await api.install(entry, credential="k3y")
    await api.events()
    await api.patch(f"/entries/{entry['id']}", {"url": "https://elsewhere.example/mcp"})
    moved = await api.get(f"/installations/{installed['id']}")
    assert moved["state"] == "needs_sign_in"
    assert "another address" in moved["state_reason"]
    assert isinstance(await resolved(api, entry["id"], installed["id"]), InstallationRefusal)
    assert ("installation", installed["id"]) in (events := await api.events())
    assert ("entry", entry["id"]) in events
    again = await api.patch(f"/installations/{installed['id']}", {"credential": "n3w"})
    assert (again["state"], again["bound_origin"]) == ("ready", "https://elsewhere.example")
    assert not isinstance(await resolved(api, entry["id"], installed["id"]), InstallationRefusal)


async def test_even_without_the_state_resolve_refuses_a_credential_of_another_origin(api: Api) -> None:
    entry = await api.entry(**STATIC)
    installed = await api.install(entry, credential="k3y")
    async with transaction(api.pool) as connection:
        await connection.execute("update entries set url = 'https://elsewhere.example/mcp'")
    assert isinstance(await resolved(api, entry["id"], installed["id"]), InstallationRefusal)


async def resolved(api: Api, entry_id: str, installation_id: str) -> object:
    async with transaction(api.pool, readonly=True) as connection:
        entry = await entries.one(connection, entry_id)
        row = await installations.one(connection, installation_id)
    assert entry is not None
    assert row is not None
    return resolve_installation(entry, row, RowSeals(api.ring).open(entry, row))


async def test_a_credential_follows_to_no_other_path_and_is_there_when_the_entry_comes_back(api: Api) -> None:
    """One host may serve many owners, each at a path."""
    entry = await api.entry(**STATIC)
    installed = await api.install(entry, credential="k3y")
    await api.patch(f"/entries/{entry['id']}", {"url": "https://time.example/of-somebody-else/mcp"})
    moved = await api.get(f"/installations/{installed['id']}")
    assert moved["state"] == "needs_sign_in"
    assert moved["state_reason"].endswith(
        "(https://time.example/mcp, now https://time.example/of-somebody-else/mcp); give them again."
    )
    assert isinstance(await resolved(api, entry["id"], installed["id"]), InstallationRefusal)
    await api.patch(f"/entries/{entry['id']}", {"url": "https://time.example/mcp"})
    assert (await api.post(f"/installations/{installed['id']}/discover", expect=200))["state"] == "ready"


async def test_a_new_required_field_makes_installations_be_filled_in_again(api: Api) -> None:
    entry = await api.entry()
    installed = await api.install(entry)
    await api.patch(f"/entries/{entry['id']}", {"fields": [{"name": "account", "header": "x-account"}]})
    asked = await api.get(f"/installations/{installed['id']}")
    assert asked["state"] == "needs_sign_in"
    assert "values.account" in asked["state_reason"]


async def test_a_change_of_an_entry_touches_the_gateways_that_carry_its_tools(api: Api) -> None:
    entry = await api.entry()
    await api.install(entry)
    gateway = await api.gateway()
    await api.assign(gateway, entry)
    await api.gateway(slug="other")
    await api.events()
    await api.patch(f"/entries/{entry['id']}", {"passthrough": False})
    assert [name for kind, name in await api.events() if kind == "gateway"] == [gateway["id"]]


async def test_an_entry_in_use_is_not_deleted_and_the_answer_says_by_what(api: Api) -> None:
    entry = await api.entry()
    installed = await api.install(entry, name="Shared clock")
    gateway = await api.gateway()
    await api.assign(gateway, entry)
    problem = await api.delete(f"/entries/{entry['id']}", expect=409)
    assert "'Shared clock'" in problem["detail"]
    assert "2 tools on the gateway 'desk'" in problem["detail"]
    await api.events()
    await api.delete(f"/entries/{entry['id']}?cascade=true")
    await api.get(f"/installations/{installed['id']}", expect=404)
    assert (await api.get(f"/gateways/{gateway['id']}/assignments"))["items"] == []
    events = await api.events()
    assert {("entry", entry["id"]), ("installation", installed["id"]), ("gateway", gateway["id"])} <= set(events)


async def test_a_tool_goes_into_quarantine_and_out_again(api: Api) -> None:
    entry = await api.entry()
    await api.install(entry)
    gateway = await api.gateway()
    await api.assign(gateway, entry, tools=["now"])
    tools = {tool["name"]: tool for tool in (await api.get(f"/entries/{entry['id']}/tools"))["items"]}
    assert tools["now"]["definition"]["description"] == "Does now."
    await api.events()
    path = f"/entries/{entry['id']}/tools/{tools['now']['id']}"
    assert (await api.patch(path, {"state": "quarantined"}))["state"] == "quarantined"
    assert await api.events() == [("gateway", gateway["id"])]
    assert (await api.patch(path, {"state": "active"}))["state"] == "active"
    await api.patch(path, {"state": "held_back"}, expect=422)


async def test_a_tool_of_another_entry_is_not_found(api: Api) -> None:
    entry, other = await api.entry(), await api.entry(slug="other")
    await api.install(entry)
    tool = (await api.get(f"/entries/{entry['id']}/tools"))["items"][0]
    await api.get(f"/entries/{other['id']}/tools/{tool['id']}", expect=404)


async def test_each_write_leaves_an_audit_line_without_secrets(api: Api) -> None:
    entry = await api.entry(fixed_headers={"x-partner": "s3cr3t"})
    await api.patch(f"/entries/{entry['id']}", {"name": "Clock"})
    await api.delete(f"/entries/{entry['id']}")
    lines = (await api.get(f"/audit?object_id={entry['id']}"))["items"]
    assert [line["action"] for line in lines] == ["delete", "update", "create"]
    assert lines[1]["before"]["name"] == "Time"
    assert lines[1]["after"]["name"] == "Clock"
    assert "s3cr3t" not in str(lines)
