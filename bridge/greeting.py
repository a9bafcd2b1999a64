"""The first words with a server: is it modern, and if not, what does it answer to `initialize`?

MCP 2026-07-28, transports, stdio: a client of both eras asks `server/discover` first. What answers it stays modern
for this run; anything else it says, or silence, means `initialize`. A server that has not begun to read yet is as
silent as one that passes over what it does not know, so that the first of the two that is answered decides. Called by
`kept_server.py`.
"""

import asyncio
from typing import Any, Final

from bridge.calls import Call
from bridge.other_era import OURSELVES, envelope
from bridge.questions import DECLARED
from bridge.run import Run
from core.mcp.versions import LATEST_LEGACY, LEGACY_VERSIONS, MODERN, Era
from core.tasks import Tasks

Json = dict[str, Any]
SILENT_S: Final = 3.0
"""After so long without an answer to `server/discover`, `initialize` is sent, too."""


class NotGreeted(Exception):
    """The server will not begin; the sentence says what it answered."""


class EndedAtProbe(Exception):
    """The server ended when it was asked for the modern era: some do that with any request before `initialize`."""


async def greet(run: Run, *, probe: bool) -> None:
    """Find out the server's era and what it says of itself; both are noted in `run`. Waits as long as it takes.

    `probe`: whether to ask for the modern era. Raises NotGreeted and EndedAtProbe, and Refused where it ended.
    """
    tasks = Tasks("greeting")
    try:
        discovering = None
        if probe:
            discover = run.ask("server/discover", {"_meta": envelope()}, "discover")
            discovering = tasks.spawn("discover", discover.next())
            _ = await asyncio.wait({discovering}, timeout=SILENT_S)
            if discovering.done():
                if discover.refused is not None:
                    raise EndedAtProbe
                if _is_modern(run, discovering.result()):
                    return
        initialize = run.ask("initialize", _initialize_params(), "initialize")
        await _legacy(run, initialize, tasks, discovering)
    finally:
        await tasks.close()


async def _legacy(run: Run, initialize: Call, tasks: Tasks, discovering: "asyncio.Task[Json] | None") -> None:
    initializing = tasks.spawn("initialize", initialize.next())
    while not initializing.done():
        waiting = {initializing} | ({discovering} if discovering and not discovering.done() else set())
        _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if discovering and discovering.done() and _is_modern(run, discovering.result()):
            return
    answer = initializing.result()
    if initialize.refused is not None:
        raise initialize.refused
    result = answer.get("result")
    if not isinstance(result, dict):
        raise NotGreeted(f"It refused to begin: {_words(answer)}")
    if result.get("protocolVersion") not in LEGACY_VERSIONS:
        raise NotGreeted(
            f"It speaks no revision of MCP that Archway does: {str(result.get('protocolVersion'))[:40]!r}"
        )
    run.era, run.hello = Era.LEGACY, result
    run.send({"jsonrpc": "2.0", "method": "notifications/initialized"})


def _is_modern(run: Run, answer: Json) -> bool:
    """Whether the answer to `server/discover` makes it modern; that is noted."""
    result = answer.get("result")
    versions = result.get("supportedVersions") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(versions, list) or MODERN not in versions:
        return False
    run.era, run.hello = Era.MODERN, result
    return True


def _initialize_params() -> Json:
    return {"protocolVersion": LATEST_LEGACY, "capabilities": DECLARED, "clientInfo": OURSELVES}


def _words(answer: Json) -> str:
    error = answer.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return message[:200] if isinstance(message, str) else "no reason given"
