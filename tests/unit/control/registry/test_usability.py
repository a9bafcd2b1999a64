import pytest

from control.registry.audience import Audience
from control.registry.usability import AssignedTool, usability

READY = AssignedTool("a__b", "active", missing=False, installations_ready=1)


def test_a_gateway_with_a_callable_tool_and_people_is_usable() -> None:
    judged = usability([READY], kind="organisation", audience=Audience(1))
    assert judged.usable
    assert judged.warnings == ()


def test_a_gateway_without_tools_is_not_usable() -> None:
    judged = usability([], kind="organisation", audience=Audience(1))
    assert not judged.usable
    assert judged.reasons == ("No tool is assigned; assign at least one.",)


def test_a_gateway_that_nobody_sees_is_not_usable() -> None:
    assert any(
        "Nobody can see it" in reason for reason in usability([READY], kind="teams", audience=Audience(0)).reasons
    )


def test_a_personal_gateway_of_a_disabled_owner_is_not_usable() -> None:
    assert usability([READY], kind="personal", audience=Audience(0)).reasons == (
        "Its owner is disabled, so nobody can call it.",
    )


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        (AssignedTool("t", "quarantined", missing=False, installations_ready=1), "in quarantine"),
        (AssignedTool("t", "active", missing=False, only_as_task=True), "works only as a task"),
        (AssignedTool("t", "held_back", missing=False, installations_ready=1), "waiting for approval"),
        (AssignedTool("t", "active", missing=True, installations_ready=1), "no longer listed"),
        (AssignedTool("t", "active", missing=False, installation="shared", installation_state="needs_sign_in"),
         "waiting for its credential"),
        (AssignedTool("t", "active", missing=False, installation="shared", installation_state="credential_refused"),
         "refused by its server for its credential"),
        (AssignedTool("t", "active", missing=False), "nobody has a ready installation"),
    ],
)  # fmt: skip
def test_a_tool_that_cannot_be_called_is_a_warning_beside_one_that_can(tool: AssignedTool, words: str) -> None:
    judged = usability([READY, tool], kind="organisation", audience=Audience(1))
    assert judged.usable
    assert len(judged.warnings) == 1
    assert words in judged.warnings[0]


def test_when_no_tool_can_be_called_the_gateway_is_not_usable() -> None:
    assert not usability(
        [AssignedTool("t", "active", missing=True)], kind="organisation", audience=Audience(1)
    ).usable


def test_one_warning_names_at_most_five_tools() -> None:
    tools = [AssignedTool(f"t{n}", "quarantined", missing=False) for n in range(7)]
    (warning,) = usability(tools, kind="organisation", audience=Audience(1)).warnings
    assert warning == "t0, t1, t2, t3, t4 and 2 more: in quarantine."


def test_a_tool_that_changed_unseen_is_a_warning_and_can_be_called() -> None:
    changed = [
        AssignedTool(name, "active", False, installations_ready=1, changed=True, entry_slug="crm") for name in "ab"
    ]
    other = AssignedTool("c", "active", False, installations_ready=1, changed=True, entry_slug="time")
    judged = usability([*changed, other, READY], kind="organisation", audience=Audience(1))
    assert judged.usable
    assert [warning.partition(":")[0] for warning in judged.warnings] == ["a, b", "c"]
    assert "`archway entries changes crm`" in judged.warnings[0]
    assert "`archway entries acknowledge time TOOL`" in judged.warnings[1]


def test_a_gateway_of_changed_tools_alone_is_usable() -> None:
    tool = AssignedTool("a", "active", missing=False, installations_ready=1, changed=True, entry_slug="crm")
    assert usability([tool], kind="organisation", audience=Audience(1)).usable


def test_a_tool_whose_server_a_policy_shuts_out_cannot_be_called_and_the_policy_is_named() -> None:
    tool = AssignedTool("a", "active", missing=False, installations_ready=1, shut_out_by="Production")
    judged = usability([tool], kind="organisation", audience=Audience(1))
    assert not judged.usable
    assert judged.warnings == (
        "a: shut out by the egress policy of the environment Production, so its calls are refused.",
    )
