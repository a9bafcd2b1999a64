"""A tool's result as a person reads it: its texts, without what steers a terminal, and a word for what is no text."""

import json
from collections.abc import Mapping
from typing import Any


def text_of(result: Mapping[str, Any]) -> str:
    """The result's content in order, or its structure where it has no content."""
    content = result.get("content")
    parts = [_part(one) for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    if not parts and "structuredContent" in result:
        parts = [json.dumps(result["structuredContent"], indent=2, ensure_ascii=False)]
    return "\n".join(harmless(part) for part in parts)


def _part(one: Mapping[str, Any]) -> str:
    match one:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "image" | "audio" as kind, "data": str(data)}:
            return f"[{kind}, {one.get('mimeType', 'of no type')}, {len(data) * 3 // 4} bytes; --json shows it]"
        case {"type": "resource_link", "uri": str(uri)}:
            return f"[a link to {uri}]"
        case {"type": "resource", "resource": {"text": str(text)}}:
            return text
        case _:
            return f"[{one.get('type', 'something')}; --json shows it]"


def harmless(text: str) -> str:
    """The text with a dot for each character that a terminal obeys, but for line ends and tabs."""
    return "".join(char if char.isprintable() or char in "\n\t" else "·" for char in text)
