from dataclasses import replace

import pytest

from control.credentials.places import account_place, given_elsewhere, is_for, places_of
from control.registry.credential import ClientCredentials, NoCredential, OAuthCredential, StaticCredential
from control.registry.entry import Entry
from control.registry.fields import Field
from tests.fakes.registry import BEARER, an_account, an_entry, an_installation

URL = "https://a.example/mcp"
ENTRY = an_entry(URL, credential=BEARER, fields=(Field("pin", "secret", "x-pin"), Field("site", "string", "x-site")))
FILLED = an_installation(
    secret_names=("credential", "pin"),
    bound_url=URL,
    bound_places={"credential": "authorization: Bearer", "pin": "x-pin"},
)


def test_each_secret_that_an_entry_asks_for_has_a_place_and_plain_answers_have_none() -> None:
    assert places_of(ENTRY) == {"credential": "authorization: Bearer", "pin": "x-pin"}


def test_nothing_was_given_elsewhere_while_the_entry_stands() -> None:
    assert given_elsewhere(ENTRY, FILLED, URL) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://b.example/mcp",
        "http://a.example/mcp",
        "https://a.example:8443/mcp",
        "https://a.example/mcp/below",
        "https://a.example/",
        "https://a.example/mcp?owner=b",
    ],
)
def test_another_url_takes_all_secrets_out_of_use(url: str) -> None:
    elsewhere = given_elsewhere(ENTRY, FILLED, url)
    assert elsewhere is not None
    assert elsewhere.names == ("credential", "pin")
    assert elsewhere.details == f"https://a.example/mcp, now {url}"


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (replace(ENTRY, credential=StaticCredential("authorization")), "credential"),
        (replace(ENTRY, credential=StaticCredential("header", "x-key")), "credential"),
        (replace(ENTRY, fields=(Field("pin", "secret", "x-other"),)), "pin"),
    ],
)
def test_another_header_or_style_takes_the_one_secret_out_of_use(entry: Entry, name: str) -> None:
    elsewhere = given_elsewhere(entry, FILLED, URL)
    assert elsewhere is not None
    assert elsewhere.names == (name,)


def test_two_secrets_that_change_places_are_both_out_of_use() -> None:
    entry = replace(ENTRY, fields=(Field("one", "secret", "x-two"), Field("two", "secret", "x-one")))
    filled = replace(FILLED, secret_names=("one", "two"), bound_places={"one": "x-one", "two": "x-two"})
    elsewhere = given_elsewhere(entry, filled, URL)
    assert elsewhere is not None
    assert elsewhere.names == ("one", "two")


def test_a_secret_that_nothing_asks_for_stands_in_nobodys_way() -> None:
    bare = replace(ENTRY, credential=NoCredential(), fields=())
    assert given_elsewhere(bare, FILLED, "https://b.example/") is None


def test_secrets_of_which_only_the_origin_is_known_were_given_elsewhere() -> None:
    elsewhere = given_elsewhere(ENTRY, replace(FILLED, bound_url="", bound_origin="https://a.example"), URL)
    assert elsewhere is not None
    assert (elsewhere.names, elsewhere.details) == (("credential", "pin"), f"https://a.example, now {URL}")


def test_a_secret_whose_place_is_not_known_was_given_elsewhere() -> None:
    elsewhere = given_elsewhere(ENTRY, replace(FILLED, bound_places={"pin": "x-pin"}), URL)
    assert elsewhere is not None
    assert (elsewhere.names, "not known" in elsewhere.details) == (("credential",), True)


def test_who_only_calls_is_told_no_address_and_no_header() -> None:
    for entry, url in (
        (ENTRY, "https://b.example/"),
        (replace(ENTRY, credential=StaticCredential("authorization")), URL),
    ):
        elsewhere = given_elsewhere(entry, FILLED, url)
        assert elsewhere is not None
        assert "example" not in elsewhere.because
        assert "Bearer" not in elsewhere.because


@pytest.mark.parametrize(
    "changed",
    [
        ClientCredentials(issuer="https://other.test"),
        ClientCredentials(issuer="https://login.test", token_endpoint="https://login.test/elsewhere"),
        ClientCredentials(issuer="https://login.test", client_authentication="client_secret_post"),
    ],
)
def test_a_clients_secret_is_shown_to_no_other_provider_and_in_no_other_way(changed: ClientCredentials) -> None:
    """Sent in another way, a key that only signed would be given away."""
    entry = an_entry(URL, credential=ClientCredentials(issuer="https://login.test"))
    filled = replace(FILLED, secret_names=("credential",), bound_places=places_of(entry))
    assert given_elsewhere(entry, filled, URL) is None
    elsewhere = given_elsewhere(replace(entry, credential=changed), filled, URL)
    assert elsewhere is not None
    assert elsewhere.names == ("credential",)


def test_an_account_is_for_the_server_that_the_answers_say() -> None:
    entry = an_entry(
        "https://{region}.example.com/mcp", credential=OAuthCredential(), fields=(Field("region", "string"),)
    )
    eu, us = (account_place(entry, replace(FILLED, plain_values={"region": one})) for one in ("eu", "us"))
    assert '"https://eu.example.com/mcp"' in eu
    assert '"https://us.example.com/mcp"' in us


def test_an_account_is_for_the_path_that_the_answers_say() -> None:
    entry = an_entry(
        "https://example.com/{owner}/mcp", credential=OAuthCredential(), fields=(Field("owner", "string"),)
    )
    ours, theirs = (replace(FILLED, plain_values={"owner": one}) for one in ("ours", "theirs"))
    account = an_account(place=account_place(entry, ours))
    assert is_for(account, entry, ours)
    assert not is_for(account, entry, theirs)
