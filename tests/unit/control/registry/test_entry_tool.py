from control.registry.entry_tool import EntryTool, told_of_tool
from tests.fakes.registry import MADE_AT

TOOL = EntryTool(
    id="t1", entry_id="e1", kind="tool", name="search", upstream_name="search", definition={"name": "search"},
    definition_sha256="0" * 64, state="active", discovered_at=MADE_AT, missing_since=None, version=1,
)  # fmt: skip


def test_people_are_told_all_that_is_kept_of_a_tool() -> None:
    assert set(told_of_tool(TOOL)) == set(EntryTool.__dataclass_fields__)
    assert told_of_tool(TOOL)["definition"] == {"name": "search"}
