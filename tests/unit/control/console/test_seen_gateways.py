"""Gateways that a page names: those that one sees by name, the others by their number."""

from __future__ import annotations

from control.console.seen_gateways import seen_by
from control.registry.access import Caller
from tests.fakes.registry import a_gateway

ANN = Caller("ann", "Ann", "member")
OTHERS = a_gateway(id="g2", slug="hr", name="HR", visibility="personal", owner_id="bea")


def test_a_gateway_that_one_does_not_see_has_no_name() -> None:
    found = seen_by(ANN, [a_gateway(name="Sales", visibility="organisation"), OTHERS])
    assert found.names == ["Sales", "a gateway of others"]


def test_several_of_others_are_counted() -> None:
    assert seen_by(ANN, [OTHERS, OTHERS]).names == ["2 gateways of others"]


def test_whoever_sees_all_is_told_all_names() -> None:
    assert seen_by(Caller("ed", "Ed", "editor"), [OTHERS]).names == ["HR"]


def test_no_gateway_at_all_is_nothing_to_tell() -> None:
    assert not seen_by(ANN, [])
    assert seen_by(ANN, [OTHERS])
