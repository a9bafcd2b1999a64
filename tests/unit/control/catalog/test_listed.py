import pytest

from control.catalog.listed import CatalogServer, catalog
from control.credentials import dispatch
from control.registry.entry_rules import check_entry
from control.registry.partial import new_entry
from core.egress.addresses import ANYWHERE, AddressPolicy


def test_some_twenty_servers_are_known_by_name_each_once() -> None:
    names = [one.name.lower() for one in catalog()]
    assert 20 <= len(names) == len(set(names))
    assert names == sorted(names)


@pytest.mark.parametrize("server", catalog(), ids=lambda one: one.slug)
def test_each_is_an_entry_that_can_be_saved(server: CatalogServer) -> None:
    client = {"client_id": "archway"} if server.needs_client else {}
    told = {
        "slug": server.slug, "name": server.name, "description": server.description, "url": server.url,
        "docs_url": server.docs_url, "labels": server.labels, "visibility": "organisation", "teams": [],
        "credential_model": server.credential_model,
        "credential_placement": {**server.credential_placement, **client} or None,
        "fields": [{"type": "string", **one} for one in server.fields], "passthrough": True,
        "isolation": "principal", "deadline_s": 0, "team_id": None, "fixed_headers": {},
    }  # fmt: skip
    wanted = new_entry(told, ())
    checked = check_entry(wanted, dispatch.check(wanted.credential, ANYWHERE), AddressPolicy())
    assert checked.entry.slug == server.slug


@pytest.mark.parametrize("server", catalog(), ids=lambda one: one.slug)
def test_each_says_where_its_documentation_is_and_what_is_left_to_do(server: CatalogServer) -> None:
    assert server.docs_url.startswith("https://")
    assert server.description.endswith(".")
    assert server.to_do
    assert all(one.endswith(".") for one in server.to_do)
    assert "client_id" not in server.credential_placement
