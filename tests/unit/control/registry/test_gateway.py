from __future__ import annotations

import pytest

from control.registry.gateway import GatewayContents, token_issuer_of, told_of_gateway, visibility_of, ways_in
from core.snapshot import TokenIssuer, Visibility
from tests.fakes.registry import MADE_AT, a_gateway, gateway_fields


def test_teams_and_owner_stand_only_where_they_count() -> None:
    personal = gateway_fields(visibility="personal", owner_id="u1", teams=("t1",))
    assert visibility_of(personal) == Visibility("personal", owner="u1")
    everybody = gateway_fields(teams=("t1",))
    assert visibility_of(everybody) == Visibility("organisation")


def test_teams_stand_in_one_order() -> None:
    assert visibility_of(gateway_fields(visibility="teams", teams=("t2", "t1"))).teams == ["t1", "t2"]


def test_people_are_told_all_that_is_kept_of_a_gateway() -> None:
    told = told_of_gateway(a_gateway(header_allowlist=("x-a",)))
    assert (told["slug"], told["header_allowlist"], told["created_at"]) == ("work", ["x-a"], MADE_AT)


def test_a_gateway_takes_a_providers_tokens_where_it_names_one() -> None:
    assert "jwt" not in ways_in(gateway_fields())
    assert "jwt" in ways_in(gateway_fields(identity_provider_id="p1", identity_provider_audience="api://a"))


def test_a_gateway_takes_assertions_of_a_provider_with_or_without_its_tokens() -> None:
    assert "id_jag" not in ways_in(gateway_fields(takes_assertions=True))
    alone = gateway_fields(identity_provider_id="p1", takes_assertions=True)
    assert ways_in(alone) == ["token", "oauth", "id_jag"]
    both = gateway_fields(identity_provider_id="p1", identity_provider_audience="api://a", takes_assertions=True)
    assert ways_in(both) == ["token", "oauth", "jwt", "id_jag"]


def test_proxies_are_told_whose_tokens_a_gateway_takes_and_what_for() -> None:
    gateway = a_gateway(identity_provider_id="p1", identity_provider_audience="api://a")
    told = token_issuer_of(GatewayContents(gateway, (), "https://id.test"))
    assert told == TokenIssuer("p1", "https://id.test", "api://a")


@pytest.mark.parametrize(
    ("fields", "issuer"),
    [
        ({}, "https://id.test"),
        ({"identity_provider_id": "p1", "identity_provider_audience": "api://a"}, ""),
        ({"identity_provider_id": "p1"}, "https://id.test"),
    ],
    ids=["no provider", "a provider that is switched off", "no audience"],
)
def test_a_gateway_without_issuer_or_audience_takes_no_providers_tokens(fields: dict[str, str], issuer: str) -> None:
    assert token_issuer_of(GatewayContents(a_gateway(**fields), (), issuer)) is None
