"""The catalog through the admin API, and entries made of a client's configuration."""

from __future__ import annotations

from tests.control.registry_api import Api, api

__all__ = ["api"]


async def test_a_server_of_the_catalog_becomes_an_entry_as_it_stands(api: Api) -> None:
    shown = await api.get("/catalog")
    assert "not run by us" in shown["note"]
    for one in shown["items"]:
        names = ("slug", "name", "description", "url", "docs_url", "labels", "credential_model", "fields")
        client = {"client_id": "archway"} if one["needs_client"] else {}
        placement = {**one["credential_placement"], **client}
        body = {name: one[name] for name in names} | ({"credential_placement": placement} if placement else {})
        assert one["callback_url"].endswith(f"/install/callback/{one['slug']}") or one["credential_model"] != "oauth"
        made = await api.post("/entries", body)
        assert (made["slug"], made["credential_placement"]) == (one["slug"], placement)


async def test_a_clients_file_is_read_and_what_it_proposes_can_be_made(api: Api) -> None:
    config = {"mcpServers": {"CRM": {"url": "https://crm.example/mcp", "headers": {"X-Key": "sk_live_0123456789"}}}}
    (proposed,) = (await api.post("/catalog/read", {"config": config}, expect=200))["items"]
    assert "sk_live" not in str(proposed)
    made = await api.post("/entries", proposed["entry"])
    assert [one["type"] for one in made["fields"]] == ["secret"]


async def test_a_file_without_servers_names_its_field(api: Api) -> None:
    problem = await api.post("/catalog/read", {"config": {}}, expect=422)
    assert [one["field"] for one in problem["errors"]] == ["config"]
