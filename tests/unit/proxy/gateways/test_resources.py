from __future__ import annotations

import pytest

from core.snapshot import TokenIssuer
from proxy.gateways.resources import audience_of, canonical_resource
from tests.fakes.call_parts import gateway

BASE, PROVIDER = "https://gw.example", TokenIssuer("p1", "https://idp.example", "api://archway")


def test_a_gateway_is_one_resource_by_its_slug() -> None:
    assert canonical_resource(BASE, gateway(slug="crm")) == "https://gw.example/v1/mcp/crm"


@pytest.mark.parametrize(
    ("issuer", "provider", "audience"),
    [
        (BASE, None, "https://gw.example/v1/mcp/g"),
        (BASE, PROVIDER, "https://gw.example/v1/mcp/g"),
        ("https://idp.example", PROVIDER, "api://archway"),
        ("https://idp.example", None, ""),
        ("https://idp.example/", PROVIDER, ""),
        ("https://other.example", PROVIDER, ""),
    ],
)
def test_what_a_token_must_be_for_depends_on_its_issuer(
    issuer: str, provider: TokenIssuer | None, audience: str
) -> None:
    found = audience_of(issuer, gateway(identity_provider=provider), own_issuer=BASE, base_url=BASE)
    assert found == audience
