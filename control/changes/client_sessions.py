"""Ending the session of an MCP client at a gateway before its time. Proxies have these sessions, control has none.

A client's session is what its `initialize` began, as records of calls name it. It proves nothing and opens nothing by
itself; whoever may still call opens another. A browser session is another thing (`people.py`).
"""

from control.changes.refusals import NotThere
from control.changes.write import Write


async def end(write: Write, jti: str) -> None:
    """End a client's session, with its calls and its stream. Whether there is one, nobody here can tell."""
    if not write.actor.may("session:delete"):
        raise NotThere("session")
    await write.announce(sessions=[jti])
    await write.record("delete", "client_session", jti, {"session": jti}, None)
