"""What is still to be done, for whom."""

from __future__ import annotations

from control.console.pages.home import beginning
from control.registry.access import Caller, GivenSet

NOTHING = {"entries": 0, "gateways": 0, "users": 1, "tokens": 0}


def test_an_admin_of_an_empty_deployment_begins_with_a_server() -> None:
    steps = beginning(Caller("u", "Ann", "admin"), NOTHING)
    assert [step.title for step in steps] == [
        "Approve a server",
        "Make a gateway",
        "Let people in",
        "Connect a client",
    ]
    assert not any(step.done for step in steps)


def test_what_there_is_is_done() -> None:
    steps = beginning(Caller("u", "Ann", "admin"), {"entries": 3, "gateways": 1, "users": 2, "tokens": 1})
    assert all(step.done for step in steps)


def test_nobody_is_told_to_do_what_they_may_not() -> None:
    assert [step.title for step in beginning(Caller("u", "Ann", "editor"), NOTHING)] == [
        "Approve a server",
        "Make a gateway",
        "Connect a client",
    ]


def test_whoever_adds_identity_providers_is_led_there_too() -> None:
    (step,) = (one for one in beginning(Caller("u", "Ann", "admin"), NOTHING) if one.title == "Let people in")
    assert step.also == ("/identity-providers", "Use an identity provider")
    inviting = Caller("u", "Ann", "member", given=(GivenSet(None, ["user:create"]),))
    assert [one.also for one in beginning(inviting, NOTHING) if one.title == "Let people in"] == [None]
