from __future__ import annotations

import pytest

from control.credentials.upstream_oauth.client import METHODS, method_named, place_at
from tests.fakes.upstream_clients import a_client, a_server


def test_a_client_is_of_one_issuer_and_goes_to_no_other() -> None:
    server = a_server(signing_algorithms=("ES256",))
    place = place_at(server, a_client())
    assert (place.endpoint, place.algorithms) == (server.token_endpoint, ("ES256",))
    with pytest.raises(ValueError, match="is no client of"):
        place_at(server, a_client(issuer="https://other.example"))


def test_its_secret_is_shown_to_nobody() -> None:
    client = a_client(client_secret="s3cret", authentication="client_secret_basic")
    assert "s3cret" not in repr(client) + repr(place_at(a_server(), client))


def test_a_method_is_known_by_its_name_and_another_word_is_none() -> None:
    assert [method_named(one) for one in METHODS] == list(METHODS)
    assert {method_named(""), method_named("tls_client_auth")} == {"none"}
