"""`organization` is taken wherever `organisation` is a value; answers have one spelling."""

import pytest

from control.http.models import in_our_spelling
from tests.control.registry_api import Api, api

__all__ = ["api"]

WORDS = ["organisation", "organization"]


@pytest.mark.parametrize("word", WORDS)
async def test_in_bodies_of_entries_gateways_installations_and_tokens(api: Api, word: str) -> None:
    team = await api.team("Support")
    entry = await api.entry(visibility=word)
    gateway = await api.gateway(visibility="teams", teams=[team["id"]])
    changed = await api.patch(f"/gateways/{gateway['id']}", {"visibility": word, "teams": []})
    made = await api.install(entry, scope=word)
    token = await api.post("/tokens", {"name": "ci", "kind": word})
    shown = [entry["visibility"], changed["visibility"], made["scope"], token["kind"]]
    assert shown == ["organisation"] * 4


@pytest.mark.parametrize("word", WORDS)
async def test_in_filters_of_lists(api: Api, word: str) -> None:
    entry, team = await api.entry(slug="crm"), await api.team("Support")
    made = await api.install(entry)
    await api.install(entry, scope="team", team_id=team["id"])
    token = await api.post("/tokens", {"name": "ci", "kind": "organisation"})
    assert [one["id"] for one in (await api.get(f"/installations?scope={word}"))["items"]] == [made["id"]]
    assert [one["id"] for one in (await api.get(f"/installations?name=crm@{word}"))["items"]] == [made["id"]]
    assert [one["id"] for one in (await api.get(f"/tokens?kind={word}"))["items"]] == [token["id"]]
    assert (await api.get(f"/records?principal={word}"))["items"] == []


@pytest.mark.parametrize("word", ["Organisation", "organisations", "org", ""])
async def test_other_words_are_refused_as_before(api: Api, word: str) -> None:
    problem = await api.post("/gateways", {"slug": "a", "name": "A", "visibility": word}, expect=422)
    assert problem["errors"][0]["field"] == "visibility"
    await api.get(f"/installations?scope={word}", expect=422)


async def test_the_document_says_both_where_they_are_taken_and_one_where_they_are_told(api: Api) -> None:
    schemas = (await api.get("/openapi.json"))["components"]["schemas"]
    taken, told = (schemas[name]["properties"]["visibility"]["enum"] for name in ("GatewayCreate", "GatewayView"))
    assert set(taken) - set(told) == {"organization"}


@pytest.mark.parametrize("given", [None, 5, ["organization"], "team"])
def test_nothing_else_is_another_spelling(given: object) -> None:
    assert in_our_spelling(given) == given
