"""A gateway's one name as a resource, and all the names by which clients mean it."""

from __future__ import annotations

import pytest

from control.registry.resources import canonical_resource, gateway_named_by

OURS = "https://tools.example.com"
ID = "0199c1f2-6d7c-7c1a-b1de-0f6f5f1f3a10"


def test_the_canonical_resource_is_the_gateways_url_by_its_slug() -> None:
    assert canonical_resource(f"{OURS}/", "sales") == f"{OURS}/v1/mcp/sales"
    assert canonical_resource("https://example.com/archway", "sales") == "https://example.com/archway/v1/mcp/sales"


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (f"{OURS}/v1/mcp/sales", "sales"),
        (f"{OURS}/v1/mcp/sales/", "sales"),
        (f"{OURS}/v1/mcp/{ID}", ID),
        ("HTTPS://Tools.Example.COM/v1/mcp/sales", "sales"),
        (f"{OURS}:443/v1/mcp/sales", "sales"),
    ],
)
def test_a_gateway_is_meant_by_each_way_to_write_its_url(resource: str, name: str) -> None:
    assert gateway_named_by(resource, OURS) == name


@pytest.mark.parametrize(
    "resource",
    [
        "",
        "sales",
        OURS,
        f"{OURS}/v1/mcp/",
        f"{OURS}/v1/mcp/Sales",
        f"{OURS}/v1/mcp/sales//",
        f"{OURS}/v1/mcp/sales/tools",
        f"{OURS}/v1/mcp/sales?a=b",
        f"{OURS}/v1/mcp/sales#f",
        f"{OURS}/v1/mcp/%73ales",
        f"{OURS}:8443/v1/mcp/sales",
        f"{OURS}:x/v1/mcp/sales",
        "http://tools.example.com/v1/mcp/sales",
        "https://evil.example/v1/mcp/sales",
        "https://tools.example.com@evil.example/v1/mcp/sales",
        "https://u:p@tools.example.com/v1/mcp/sales",
        "https://[/v1/mcp/sales",
        f"{OURS}/v1/mcp/{'a' * 2_048}",
        f"{OURS}/v1/mcp/s\u00e4les",
    ],
)
def test_anything_else_is_no_gateway(resource: str) -> None:
    assert gateway_named_by(resource, OURS) is None


def test_a_deployment_below_a_path_has_its_gateways_there() -> None:
    base = "https://example.com/archway"
    assert gateway_named_by(f"{base}/v1/mcp/sales", base) == "sales"
    assert gateway_named_by("https://example.com/v1/mcp/sales", base) is None
