from dataclasses import replace

from control.registry.entry_tool import EntryTool, told_of_tool
from tests.fakes.registry import MADE_AT

TOOL = EntryTool(
    id="t1", entry_id="e1", kind="tool", name="search", upstream_name="search", definition={"name": "search"},
    definition_sha256="0" * 64, state="active", discovered_at=MADE_AT, missing_since=None,
    changed_at=None, known_definition=None, version=1,
)  # fmt: skip


def test_people_are_told_all_that_is_kept_of_a_tool() -> None:
    told = {*EntryTool.__dataclass_fields__, "differences", "only_as_task"} - {"known_definition"}
    assert set(told_of_tool(TOOL)) == told
    assert told_of_tool(TOOL)["definition"] == {"name": "search"}


def test_a_tool_that_works_only_as_a_task_is_marked() -> None:
    task = {"name": "search", "execution": {"taskSupport": "required"}}
    assert told_of_tool(replace(TOOL, definition=task))["only_as_task"] is True
    for support in ("optional", "forbidden", None):
        told = told_of_tool(replace(TOOL, definition={"name": "search", "execution": {"taskSupport": support}}))
        assert told["only_as_task"] is False


def test_of_a_changed_tool_people_are_told_what_differs() -> None:
    known = {"name": "search", "description": "Finds."}
    told = told_of_tool(replace(TOOL, changed_at=MADE_AT, known_definition=known))
    assert told["differences"] == [{"at": "description", "before": "Finds.", "after": None}]
