from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest

from core.egress.own_servers import OWN_SERVERS, RuntimeUrl


def test_what_is_made_of_such_a_url_is_judged_like_everybodys() -> None:
    ours = RuntimeUrl("http://127.0.0.1:1/mcp")
    made = (ours + "/other", str(ours), urljoin(ours, "/other"), urlsplit(ours).geturl(), f"{ours}")
    assert not any(isinstance(one, RuntimeUrl) for one in made)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "fd12:3456::1"])
def test_servers_that_archway_runs_may_be_on_loopback_and_in_private_networks(address: str) -> None:
    assert OWN_SERVERS.permits(address)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0"])
def test_nothing_opens_what_a_machine_may_not_tell(address: str) -> None:
    assert not OWN_SERVERS.permits(address)
