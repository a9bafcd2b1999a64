"""Servers that nobody calls, ended and wanted again: each step of `control/registry/idleness.py`, in its transaction.

Called by `control/sleeping.py`, which ends them, and for calls and people who need one. The row is locked, so
that a call and the end of a server are one after the other, whichever replicas they come to. Nobody decides any of
it, and the audit trail says nothing of it.
"""

from datetime import datetime

from control.changes.write import Write
from control.store import idle_servers, installations
from control.store.writes import idle_servers as rows


async def count(write: Write) -> None:
    """Count for all servers that are ended when they are idle, and for no others."""
    await rows.begin(write)
    await write.announce()
    write.observed()


async def doze(write: Write, installation_id: str, minutes: int, since: datetime) -> bool:
    """Have proxies forget how the server is reached, if nobody has called it for so long; whether that is so."""
    found, now = await idle_servers.lock(write.connection, installation_id), await idle_servers.now(write.connection)
    if found is None or not found.is_idle(minutes, since, now):
        return False
    await rows.put(write, installation_id, found.dozing(now))
    await write.announce(installations=[installation_id])
    write.observed()
    return True


async def fall_asleep(write: Write, installation_id: str) -> bool:
    """Have it ended, once proxies have forgotten it; False where somebody has wanted it since."""
    # Of the installation first, as all writers do: a report of how it does comes before this or after it.
    _ = await installations.one(write.connection, installation_id, lock=True)
    found, now = await idle_servers.lock(write.connection, installation_id), await idle_servers.now(write.connection)
    asleep = None if found is None else found.asleep(now)
    if asleep is None:
        return False
    await rows.put(write, installation_id, asleep)
    await write.announce()  # it was with `doze`
    write.observed()
    return True


async def use(write: Write, installation_id: str) -> bool:
    """A call has come for it, or somebody wants it to run; whether it was not awake."""
    await rows.begin_one(write, installation_id)
    found, now = await idle_servers.lock(write.connection, installation_id), await idle_servers.now(write.connection)
    if found is not None:
        await rows.put(write, installation_id, found.used(now))
    await write.announce()  # proxies hear of it when it answers
    write.observed()
    return found is not None and not found.is_awake


async def use_and_ask(write: Write, installation_id: str) -> None:
    """Somebody wants to know what it offers: it is asked when it answers."""
    if await use(write, installation_id):
        await rows.ask_again(write, installation_id)
        await write.announce()
        write.observed()
