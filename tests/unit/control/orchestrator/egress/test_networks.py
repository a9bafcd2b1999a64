"""Networks, and what of them stays shut."""

from __future__ import annotations

import ipaddress

from control.orchestrator.egress.networks import Block, blocks, shut_but_for

METADATA = "169.254.0.0/16"
LINK_LOCAL = ipaddress.IPv4Network(METADATA)


def test_a_network_without_anything_shut_is_said_alone() -> None:
    (block,) = blocks(["203.0.113.0/24"], ())
    assert block.said() == {"cidr": "203.0.113.0/24"}


def test_what_is_shut_in_a_network_is_an_exception_of_it() -> None:
    assert blocks(["169.0.0.0/8"], ()) == [Block("169.0.0.0/8", (METADATA,))]


def test_a_network_of_which_nothing_is_left_is_left_out() -> None:
    halves = (ipaddress.ip_network("10.0.0.0/9"), ipaddress.ip_network("10.128.0.0/9"))
    assert blocks(["10.0.0.0/8", "10.1.0.0/16", "192.168.0.0/16"], halves) == [Block("192.168.0.0/16", ())]


def test_exceptions_that_overlap_are_one() -> None:
    never = (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("10.1.2.0/24"))
    assert blocks(["10.0.0.0/8"], never) == [Block("10.0.0.0/8", ("10.1.0.0/16",))]


def test_all_that_is_shut_is_said_without_the_addresses_that_stay_open() -> None:
    networks = [ipaddress.ip_network(one) for one in shut_but_for(["169.254.20.10/32"], ())]
    assert all(one.num_addresses for one in networks)
    assert sum(one.num_addresses for one in networks if one.version == 4 and one.subnet_of(LINK_LOCAL)) == 2**16 - 1
    assert ipaddress.ip_network("fe80::/10") in networks
    assert shut_but_for(["0.0.0.0/0", "::/0"], ()) == []


def test_an_ipv4_network_that_an_operator_shuts_is_not_reached_through_a_translator_either() -> None:
    never = (ipaddress.ip_network("10.0.0.0/8"),)
    (everywhere,) = blocks(["::/0"], never)
    assert "64:ff9b::a00:0/104" in everywhere.shut
    assert blocks(["64:ff9b::a01:0/112"], never) == []
