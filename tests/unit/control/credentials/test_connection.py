from __future__ import annotations

from typing import Any

import pytest

from control.credentials.connection import (
    connection_of,
    owner_of,
)
from control.registry.row_seals import OpenedSecrets
from core.resolve import Connection, ConnectionRefusal


def an_entry(**changed: Any) -> dict[str, Any]:
    usual = {
        "id": "e1", "slug": "github", "name": "GitHub", "kind": "remote", "url": "https://github.test/mcp",
        "credential_model": "none", "credential_placement": {}, "fields": [], "fixed_headers": None,
        "isolation": "shared", "deadline_s": 9.0, "version": 3,
    }  # fmt: skip
    return {**usual, **changed}


def an_installation(**changed: Any) -> dict[str, Any]:
    usual = {
        "id": "i1", "name": "Ours", "scope": "team", "user_id": None, "team_id": "t1", "state": "ready",
        "protocol": "legacy", "plain_values": {}, "secret_values": None, "secret_names": [],
        "bound_origin": "https://github.test", "credential_version": 5,
    }  # fmt: skip
    return {**usual, **changed}


BEARER = {"credential_model": "static", "credential_placement": {"style": "bearer"}}
GIVEN = {"secret_names": ["credential"]}


def connected(entry: dict[str, Any], installation: dict[str, Any], **values: str) -> Connection:
    found = connection_of(entry, installation, OpenedSecrets({"x-fixed": "f"}, values))
    assert isinstance(found, Connection)
    return found


def refused(entry: dict[str, Any], installation: dict[str, Any], **values: str) -> str:
    found = connection_of(entry, installation, OpenedSecrets({}, values))
    assert isinstance(found, ConnectionRefusal)
    return found.code


def test_a_connection_says_how_to_reach_and_how_to_speak() -> None:
    found = connected(an_entry(), an_installation())
    assert (found.url, found.protocol, found.isolation, found.deadline_s) == (
        "https://github.test/mcp", "legacy", "shared", 9.0,
    )  # fmt: skip
    assert (found.owner, found.version) == ("team:t1", 7)
    assert (found.fixed_headers, found.credential_headers) == ([("x-fixed", "f")], [])


@pytest.mark.parametrize(
    ("placement", "header"),
    [
        ({"style": "bearer"}, ("authorization", "Bearer s3cret")),
        ({"style": "authorization"}, ("authorization", "s3cret")),
        ({"style": "header", "header": "x-api-key"}, ("x-api-key", "s3cret")),
    ],
)
def test_the_credential_stands_where_the_entry_places_it(placement: dict[str, str], header: tuple[str, str]) -> None:
    entry = an_entry(credential_model="static", credential_placement=placement)
    assert connected(entry, an_installation(**GIVEN), credential="s3cret").credential_headers == [header]


def test_plain_and_secret_answers_fill_their_headers() -> None:
    fields = [
        {"name": "site", "type": "string", "header": "x-site"},
        {"name": "pass", "type": "secret", "header": "x-pass"},
    ]
    installation = an_installation(plain_values={"site": "eu"}, secret_names=["pass"])
    found = connected(an_entry(fields=fields), installation, **{"pass": "p"})
    assert found.credential_headers == [("x-site", "eu"), ("x-pass", "p")]


def test_a_secret_given_for_another_origin_is_not_sent() -> None:
    moved = an_entry(url="https://elsewhere.test/mcp", **BEARER)
    assert refused(moved, an_installation(**GIVEN), credential="s3cret") == "needs_sign_in"


def test_another_path_of_the_same_origin_is_the_same_server() -> None:
    assert connected(an_entry(url="https://GITHUB.test:443/v2", **BEARER), an_installation(**GIVEN), credential="s")


def test_without_secrets_a_moved_server_needs_nothing_again() -> None:
    assert connected(an_entry(url="https://elsewhere.test/mcp"), an_installation())


def test_what_needs_its_credential_again_or_never_had_one_is_refused() -> None:
    assert refused(an_entry(), an_installation(state="needs_sign_in")) == "needs_sign_in"
    assert refused(an_entry(**BEARER), an_installation()) == "needs_sign_in"


def test_owners_are_named_by_scope() -> None:
    assert owner_of(an_installation(scope="personal", user_id="u1")) == "user:u1"
    assert owner_of(an_installation(scope="organisation")) == "organisation"
