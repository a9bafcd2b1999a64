from __future__ import annotations

from typing import Any

import pytest

from control.credentials.upstream_oauth.authorization_server import (
    assumed_server,
    check_issuer,
    metadata_urls,
    server_in,
    typed_server,
)
from control.credentials.upstream_oauth.unfit import NotApproved, Unfit
from core.egress.addresses import AddressPolicy, parse_networks
from tests.fakes.upstream_clients import ISSUER, metadata

PUBLIC = AddressPolicy()
LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))


def test_the_metadata_is_asked_in_the_order_of_the_specification() -> None:
    assert metadata_urls("https://as.example/tenant/") == [
        "https://as.example/.well-known/oauth-authorization-server/tenant",
        "https://as.example/.well-known/openid-configuration/tenant",
        "https://as.example/tenant/.well-known/openid-configuration",
    ]
    for root in ("https://as.example", "https://as.example/"):
        assert metadata_urls(root) == [
            "https://as.example/.well-known/oauth-authorization-server",
            "https://as.example/.well-known/openid-configuration",
        ]


def test_what_a_server_says_of_itself_is_read() -> None:
    server = server_in(
        metadata(
            scopes_supported=["a", "offline_access"],
            token_endpoint_auth_methods_supported=["none", 5],
            authorization_response_iss_parameter_supported=True,
            client_id_metadata_document_supported=True,
        ),
        ISSUER, PUBLIC, {},
    )  # fmt: skip
    assert (server.token_endpoint, server.revocation_endpoint) == (f"{ISSUER}/token", f"{ISSUER}/revoke")
    assert server.scopes_supported == ("a", "offline_access")
    assert server.authentication_methods == ("none",)
    assert (server.names_issuer, server.takes_documents, server.says_s256) == (True, True, True)
    assert server.foreign_hosts == ()


def test_only_true_is_true() -> None:
    server = server_in(
        metadata(
            authorization_response_iss_parameter_supported="true",
            client_id_metadata_document_supported=1,
            scopes_supported="a",
        ),
        ISSUER, PUBLIC, {},
    )  # fmt: skip
    assert (server.names_issuer, server.takes_documents, server.scopes_supported) == (False, False, ("a",))


@pytest.mark.parametrize("issuer", [f"{ISSUER}/", "https://AS.example", "https://evil.example", "", None, 5])
def test_metadata_of_another_issuer_is_refused(issuer: object) -> None:
    with pytest.raises(Unfit, match="another issuer"):
        server_in({**metadata(), "issuer": issuer}, ISSUER, PUBLIC, {})


@pytest.mark.parametrize(
    "changes", [{"token_endpoint": None}, {"authorization_endpoint": None}, {"token_endpoint": 5}]
)
def test_a_server_without_what_is_needed_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unfit):
        server_in({**metadata(), **changes}, ISSUER, PUBLIC, {})


def test_where_nobody_signs_in_a_server_needs_no_place_for_it() -> None:
    found = metadata(authorization_endpoint=None, code_challenge_methods_supported=["plain"])
    server = server_in(found, ISSUER, PUBLIC, {}, needs_browser=False)
    assert server.authorization_endpoint == ""


def test_pkce_is_needed_where_methods_are_named_and_sent_where_they_are_not() -> None:
    with pytest.raises(Unfit, match="S256"):
        server_in(metadata(code_challenge_methods_supported=["plain"]), ISSUER, PUBLIC, {})
    assert not server_in(metadata(code_challenge_methods_supported=None), ISSUER, PUBLIC, {}).says_s256


def test_endpoints_at_foreign_hosts_are_told_and_wait_for_an_admin() -> None:
    server = server_in(metadata(token_endpoint="https://oauth2.example/token"), ISSUER, PUBLIC, {})
    with pytest.raises(NotApproved) as refused:
        server.refuse_unapproved(("https://other.example",))
    assert refused.value.hosts == ("https://oauth2.example",)
    server.refuse_unapproved(("https://oauth2.example",))


def test_what_an_admin_typed_wins_and_is_approved_by_that() -> None:
    typed = {"token_endpoint": "https://typed.example/token"}
    server = server_in(metadata(token_endpoint="javascript:x"), ISSUER, PUBLIC, typed)
    assert server.token_endpoint == "https://typed.example/token"
    server.refuse_unapproved(())


def test_what_an_admin_typed_is_held_to_the_address_policy_all_the_same() -> None:
    for url in ("http://typed.example/token", "https://10.0.0.1/token"):
        with pytest.raises(Unfit):
            server_in(metadata(), ISSUER, PUBLIC, {"token_endpoint": url})


def test_an_old_server_has_its_endpoints_at_the_usual_paths() -> None:
    server = assumed_server("https://mcp.example", PUBLIC, {"token_endpoint": "https://mcp.example/t"})
    assert server.authorization_endpoint == "https://mcp.example/authorize"
    assert server.registration_endpoint == "https://mcp.example/register"
    assert server.token_endpoint == "https://mcp.example/t"
    assert server.is_assumed


def test_a_server_of_which_all_was_typed_is_asked_for_nothing() -> None:
    typed = {"token_endpoint": "https://t.example/t", "authorization_endpoint": "https://a.example/a"}
    server = typed_server(ISSUER, PUBLIC, typed)
    assert (server.issuer, server.token_endpoint, server.foreign_hosts) == (ISSUER, "https://t.example/t", ())


@pytest.mark.parametrize(
    "issuer",
    ["http://as.example", "https://10.0.0.1", "https://as.example?x", "https://as.example#x", "javascript:alert(1)",
     "https://as.example/" + "x" * 3_000, "https://user:pw@as.example", ""],
)  # fmt: skip
def test_what_is_no_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(Unfit):
        check_issuer(issuer, PUBLIC)


def test_on_this_machine_alone_a_server_may_be_plain() -> None:
    plain = "http://127.0.0.1:9400"
    assert server_in(metadata(plain), plain, LOOPBACK, {}).token_endpoint == f"{plain}/token"
    with pytest.raises(Unfit):
        server_in(metadata(plain, token_endpoint="http://as.example/token"), plain, LOOPBACK, {})
    with pytest.raises(Unfit):  # a public issuer names nothing on this machine
        server_in(metadata(token_endpoint=f"{plain}/token"), ISSUER, LOOPBACK, {})
