"""Install-time fields that fill places in an entry's URL, through the admin API: what is asked is what was filled."""

import pytest

from tests.control.registry_api import JSON, Api, api

__all__ = ["api"]

URL = "https://{region}.example.com/mcp/{workspace}"
FIELDS = [
    {"name": "region", "type": "select", "options": ["eu", "us"], "default": "eu"},
    {"name": "workspace", "title": "Workspace"},
]
STATIC = {"credential_model": "static", "credential_placement": {"style": "bearer"}}
KEY = "s3cr3t-key-of-one-region"


async def an_entry(api: Api, **changes: object) -> JSON:
    return await api.entry(**{"url": URL, "fields": FIELDS, **STATIC, **changes})


async def test_the_server_of_an_installation_is_asked_at_its_own_address(api: Api) -> None:
    made = await api.install(await an_entry(api), credential=KEY, values={"workspace": "a b"})
    assert (made["state"], made["bound_origin"]) == ("ready", "https://eu.example.com")
    assert made["plain_values"] == {"region": "eu", "workspace": "a b"}
    asked = api.proxy.questions[-1].installation
    assert (asked.url, asked.credential_headers) == (
        "https://eu.example.com/mcp/a%20b", [("authorization", f"Bearer {KEY}")],
    )  # fmt: skip


async def test_an_entry_with_places_to_fill_is_shown_as_it_is_and_nobody_asks_its_server(api: Api) -> None:
    made = await an_entry(api)
    assert (made["url"], made["warnings"], made["fields"][0]["header"]) == (URL, [], "")
    assert api.proxy.questions == []
    await api.patch(f"/entries/{made['id']}", {"url": URL.replace("mcp", "v2")})
    assert api.proxy.questions == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"fields": FIELDS[:1]}, "url"),
        ({"url": "https://{region}.example.com/mcp"}, "fields[1].header"),
        ({"url": "https://{region}.co.uk/{workspace}"}, "url"),
        ({"url": "https://{region}.example.com/v{workspace}"}, "url"),
        ({"fields": [FIELDS[0], {"name": "workspace", "type": "secret"}]}, "fields[1].type"),
        ({"fields": [FIELDS[0], {"name": "workspace", "header": "x-workspace"}]}, "fields[1].header"),
        ({"fields": [FIELDS[0], {"name": "workspace", "required": False}]}, "fields[1].required"),
    ],
)
async def test_a_place_without_a_field_or_a_field_without_a_place_is_not_saved(
    api: Api, changes: JSON, field: str
) -> None:
    body = {"slug": "time", "name": "Time", "url": URL, "fields": FIELDS, **changes}
    problem = await api.post("/entries", body, expect=422)
    assert problem["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "values.workspace"),
        ({"workspace": None}, "values.workspace"),
        ({"workspace": ".."}, "values.workspace"),
        ({"workspace": "a/b"}, "values.workspace"),
        ({"workspace": "w", "region": "mars"}, "values.region"),
    ],
)
async def test_an_answer_that_makes_no_address_is_refused_while_the_person_is_there(
    api: Api, values: JSON, field: str
) -> None:
    problem = await api.install(await an_entry(api), credential=KEY, values=values, expect=422)
    assert problem["errors"][0]["field"] == field
    assert api.proxy.questions == []


async def test_another_answer_takes_the_key_to_no_other_host(api: Api) -> None:
    made = await api.install(await an_entry(api), credential=KEY, values={"workspace": "w"})
    path = f"/installations/{made['id']}"
    problem = await api.patch(path, {"values": {"region": "us"}}, expect=422)
    assert problem["errors"][0]["field"] == "credential"
    assert "https://eu.example.com/mcp/w, now https://us.example.com/mcp/w" in problem["errors"][0]["message"]
    moved = await api.patch(path, {"values": {"region": "us"}, "credential": "s3cr3t-key-of-the-other"})
    assert moved["bound_origin"] == "https://us.example.com"
    elsewhere = [one.installation for one in api.proxy.questions if "us.example.com" in one.installation.url]
    assert elsewhere
    assert KEY not in str([one.credential_headers for one in elsewhere])


async def test_another_answer_takes_the_key_to_no_other_path(api: Api) -> None:
    """One host may serve many owners, each at a path."""
    made = await api.install(await an_entry(api), credential=KEY, values={"workspace": "w"})
    path = f"/installations/{made['id']}"
    problem = await api.patch(path, {"values": {"workspace": "v"}}, expect=422)
    assert problem["errors"][0]["field"] == "credential"
    assert "https://eu.example.com/mcp/w, now https://eu.example.com/mcp/v" in problem["errors"][0]["message"]
    moved = await api.patch(path, {"values": {"workspace": "v"}, "credential": "s3cr3t-key-of-the-other"})
    assert moved["bound_url"] == "https://eu.example.com/mcp/v"
    elsewhere = [one.installation for one in api.proxy.questions if one.installation.url.endswith("/v")]
    assert elsewhere
    assert KEY not in str([one.credential_headers for one in elsewhere])


async def test_an_entry_moved_to_another_path_takes_no_key_along_and_moved_back_has_it_again(api: Api) -> None:
    entry = await an_entry(api)
    made = await api.install(entry, credential=KEY, values={"workspace": "w"})
    await api.patch(f"/entries/{entry['id']}", {"url": URL.replace("/mcp/", "/of-somebody-else/")})
    waiting = await api.get(f"/installations/{made['id']}")
    assert (waiting["state"], waiting["standing"]["word"]) == ("needs_sign_in", "needs_sign_in_again")
    assert "https://eu.example.com/mcp/w, now https://eu.example.com/of-somebody-else/w" in waiting["state_reason"]
    assert "of-somebody-else" not in str([one.installation.url for one in api.proxy.questions])
    await api.patch(f"/entries/{entry['id']}", {"url": URL})
    again = await api.post(f"/installations/{made['id']}/discover", {}, expect=200)
    assert again["state"] == "ready"
    assert api.proxy.questions[-1].installation.credential_headers[0][1] == f"Bearer {KEY}"


async def test_an_entry_that_gets_a_place_to_fill_asks_its_installations_for_the_answer(api: Api) -> None:
    entry = await api.entry(url="https://eu.example.com/mcp", **STATIC)
    made = await api.install(entry, credential=KEY)
    changed = {"url": "https://eu.example.com/{workspace}", "fields": FIELDS[1:]}
    await api.patch(f"/entries/{entry['id']}", changed)
    waiting = await api.get(f"/installations/{made['id']}")
    assert waiting["state"] == "needs_sign_in"
    assert "values.workspace: is needed" in waiting["state_reason"]
    path = f"/installations/{made['id']}"
    problem = await api.patch(path, {"values": {"workspace": "w"}}, expect=422)
    assert "https://eu.example.com/mcp, now https://eu.example.com/w" in problem["errors"][0]["message"]
    again = await api.patch(path, {"values": {"workspace": "mcp"}})  # where it always was
    assert again["state"] == "ready"
    assert api.proxy.questions[-1].installation.credential_headers[0][1] == f"Bearer {KEY}"
