"""A cheap MCP server over stdio, of 2026-07-28, with a tool `echo` that says back its `text` (`bench/bridge.py`)."""

import sys
from typing import Any

import orjson


def answered(message: dict[str, Any]) -> dict[str, Any]:
    """The result of one request."""
    if message["method"] == "server/discover":
        return {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
    text = message["params"]["arguments"]["text"]
    return {"resultType": "complete", "content": [{"type": "text", "text": text}], "isError": False}


def main() -> None:
    """Serve until the input ends."""
    output = sys.stdout.buffer
    for line in sys.stdin.buffer:
        message = orjson.loads(line)
        if "id" in message:
            output.write(orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answered(message)}) + b"\n")
            output.flush()


if __name__ == "__main__":
    main()
