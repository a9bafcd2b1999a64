"""What a server may reach, as it travels between the planes."""

import msgspec

from core.egress.rules import Allowed, EgressRules


def test_rules_come_through_as_they_were() -> None:
    """A policy that allows one host is the same one in the other plane."""
    rules = EgressRules(mode="restricted", allowed=(Allowed(domains=("api.example.com",)),))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(rules), type=EgressRules) == rules


def test_where_nothing_is_said_everything_is_allowed() -> None:
    """A plane of the version before says nothing."""
    assert msgspec.msgpack.decode(msgspec.msgpack.encode({}), type=EgressRules).mode == "all"
