from __future__ import annotations

import pytest

from control.providers.endpoints import EndpointUnfit, checked_endpoint
from core.egress.addresses import AddressPolicy, parse_networks

ISSUER = "https://as.example"
PLAIN = "http://127.0.0.1:9400"
PUBLIC = AddressPolicy()
LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))


def test_an_address_comes_out_in_its_one_form() -> None:
    assert checked_endpoint("https://AS.example:443/Token?a=b", "token_endpoint", ISSUER, PUBLIC) == (
        "https://as.example/Token?a=b"
    )


@pytest.mark.parametrize(
    "url",
    [None, "", 5, ["https://as.example"], "http://as.example/t", "https://10.0.0.1/t", "https://u:p@as.example/t",
     "javascript:alert(1)", "file:///etc/passwd", "https://as.example/$(x) y", "https://as.example/t#f"],
)  # fmt: skip
def test_an_address_that_nothing_may_be_sent_to_is_named_by_its_endpoint(url: object) -> None:
    with pytest.raises(EndpointUnfit, match="token_endpoint"):
        checked_endpoint(url, "token_endpoint", ISSUER, PUBLIC)


def test_on_this_machine_an_address_may_be_plain_where_the_issuer_is_there_too() -> None:
    assert checked_endpoint(f"{PLAIN}/t", "token_endpoint", PLAIN, LOOPBACK) == f"{PLAIN}/t"
    with pytest.raises(EndpointUnfit):
        checked_endpoint(f"{PLAIN}/t", "token_endpoint", ISSUER, LOOPBACK)
    with pytest.raises(EndpointUnfit):
        checked_endpoint("http://as.example/t", "token_endpoint", PLAIN, LOOPBACK)
