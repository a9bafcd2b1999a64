from control.registry.assignment import Assignment, told_of_assignment
from tests.fakes.registry import MADE_AT

ASSIGNMENT = Assignment(
    id="a1", gateway_id="g1", exposed_name="github__search", tool_id="t1", tool_name="search", tool_kind="tool",
    tool_state="active", missing_since=None, entry_id="e1", entry_slug="github", installation_id=None,
    installation_name=None, installation_scope=None, created_at=MADE_AT, version=1,
)  # fmt: skip


def test_people_are_told_all_that_is_kept_of_an_assignment() -> None:
    told = told_of_assignment(ASSIGNMENT)
    assert set(told) == set(Assignment.__dataclass_fields__)
    assert (told["exposed_name"], told["installation_id"]) == ("github__search", None)
