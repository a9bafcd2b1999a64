"""The servers that Archway runs for installations: restarting one, and reading its log.

How each does is in `/installations` (`installations.py`). Both are for who may change the installation: a log may
repeat what its owner answered.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

from control.admin.api import Asked, Operations
from control.admin.deps import LOG_READERS, LOGS_OF_ONE
from control.admin.installation_models import InstallationView
from control.admin.installations import shown_now
from control.admin.server_models import LogQuery
from control.changes import server_states as changes
from control.changes.installations import managed
from control.http.models import Id
from control.http.problems import Problem, conflict
from control.registry.installation import Installation
from control.registry.server_causes import CAUSES
from control.servers.log_lines import paced
from control.servers.runtime import Runtime, RuntimeAway
from control.store import installations
from control.store.pool import transaction

operations = Operations("installations")


@operations.post("/installations/{installation_id}/restart", status=200)
async def restart_installation(asked: Asked, installation_id: Id) -> InstallationView:
    """Restart the server of an installation, where Archway runs it. It takes calls again when it is ready."""
    async with asked.changing() as write:
        await changes.restart(write, installation_id)
        _ = _runtime(asked)
    return await shown_now(asked, installation_id)


@operations.get("/installations/{installation_id}/logs", media="text/plain; charset=utf-8")
async def read_logs(asked: Asked, installation_id: Id, query: LogQuery) -> AsyncIterator[bytes]:
    """Read the log of an installation's server, where Archway runs it; with `follow` as it is written."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await installations.one(connection, installation_id)
    found = managed(found, asked.caller, "installation:update")
    changes.refuse_remote(found)
    return _lines(asked, found, _runtime(asked), query)


async def _lines(asked: Asked, found: Installation, runtime: Runtime, query: LogQuery) -> AsyncIterator[bytes]:
    async def still_allowed() -> None:
        async with asked.changing() as write:
            _ = await write.holder("installation:update", found.owner)

    with _place(asked):
        source = runtime.logs(found.id, lines=query.lines, previous=query.previous, follow=query.follow)
        if query.follow:
            yield b""  # so that the answer begins, however long the server is silent
        try:
            async with aclosing(paced(source, still_allowed)) as lines:
                async for line in lines:
                    yield line
        except RuntimeAway as away:
            if not query.follow:
                raise Problem(503, f"{CAUSES['runtime_away'].sentence} {away}") from None
            yield f"[the place where it runs cannot be asked any more: {away}]\n".encode()


@contextmanager
def _place(asked: Asked) -> Iterator[None]:
    """One of the places for readers; Problem 503 where all are taken, or as many as one person may have."""
    readers, reader = asked.deps.log_readers, asked.caller.user_id
    if len(readers) >= LOG_READERS or readers.count(reader) >= LOGS_OF_ONE:
        most = f"{LOG_READERS} logs, and {LOGS_OF_ONE} by one person, are read at once"
        raise Problem(503, f"{most}; try again when somebody has stopped.")
    readers.append(reader)
    try:
        yield
    finally:
        readers.remove(reader)


def _runtime(asked: Asked) -> Runtime:
    """Where servers run; Problem 409 where nothing here runs any."""
    if asked.deps.runtime is None:
        raise conflict(" ".join(CAUSES["no_runtime"]))
    return asked.deps.runtime
