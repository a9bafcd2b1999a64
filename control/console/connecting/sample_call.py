"""A call that can be tried at once: a tool of the gateway that only reads, with arguments that its schema takes.

Connect puts it into what people copy for a terminal or a program: the list of tools alone is no call, and leaves the
light as it is. Where no tool says of itself that it only reads, nothing is proposed: whoever tries a command should
not change anything by it. Pure; the tools come from `control/store/assignments.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from control.registry.assignment import OfferedTool

MOST_ARGUMENTS: Final = 4
"""A tool that must be told more than this is no first call."""
_KNOWN: Final[Mapping[str, Any]] = {"timezone": "Europe/Paris", "url": "https://example.com/", "limit": 1}
"""What an argument of such a name takes nearly everywhere."""
_BY_TYPE: Final[Mapping[str, Any]] = {"string": "...", "integer": 1, "number": 1, "boolean": False}


@dataclass(frozen=True, slots=True)
class SampleCall:
    """A tool by the name that it has on the gateway, and arguments for it."""

    tool: str
    arguments: Mapping[str, Any]

    @property
    def as_json(self) -> str:
        """The arguments, as JSON and JavaScript write them."""
        return json.dumps(self.arguments)


def sample_call(tools: Sequence[OfferedTool]) -> SampleCall | None:
    """A call of the tool that must be told least, of those that only read; None where there is none."""
    found = [
        SampleCall(one.name, arguments)
        for one in tools
        if one.only_reads and (arguments := _arguments(one.input_schema)) is not None
    ]
    return min(found, key=lambda one: len(one.arguments), default=None)


def sample_search(tools: Sequence[OfferedTool]) -> SampleCall | None:
    """A search that finds the first of these tools, for a gateway whose list has `search_tools` in place of them."""
    return SampleCall("search_tools", {"query": " ".join(tools[0].name.replace("_", " ").split())}) if tools else None


def _arguments(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Those that the schema requires; None where one of them cannot be made up."""
    required, properties = schema.get("required", []), schema.get("properties", {})
    if not isinstance(required, list) or not isinstance(properties, dict) or len(required) > MOST_ARGUMENTS:
        return None
    made = {}
    for name in required:
        told = properties.get(name)
        value = _value(str(name), told if isinstance(told, dict) else {})
        if value is None:
            return None
        made[str(name)] = value
    return made


def _value(name: str, told: Mapping[str, Any]) -> Any:
    for word in ("const", "default"):
        if told.get(word) is not None:
            return told[word]
    for word in ("examples", "enum"):
        if isinstance(told.get(word), list) and told[word]:
            return told[word][0]
    kind = told.get("type", "string")
    known = _KNOWN.get(name)
    if known is not None and kind == ("string" if isinstance(known, str) else "integer"):
        return known
    return _BY_TYPE.get(kind) if isinstance(kind, str) else None
