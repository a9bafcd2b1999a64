"""Notes the first call by each thing that a person allowed a client: the last step of signing in.

Asked by `consumer.py` about batches that were kept. Nothing of a call is slower for it: that it was the first is seen
in its record. Which grants have called is remembered in their rows, and a while here.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Final

from control.records.sign_in_notes import SignInNotes
from control.registry.oauth_grant import Grant
from control.registry.sign_in_attempt import NewAttempt
from control.store import oauth_grants
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from core.identifiers import is_id
from core.records import Batch, CallRecord

log = logging.getLogger(__name__)
REMEMBERED: Final = 20_000
_BY_GRANTS: Final = frozenset({"oauth", "id_jag"})
_WENT_WELL: Final = frozenset({"ok", "tool_error"})
_CURE: Final = "The sign-in itself is done. What helps the call is in its record: archway records list --status"


class FirstCalls:
    """Knows of one replica which grants have called."""

    def __init__(self, pool: Pool, notes: SignInNotes) -> None:
        self._pool, self._notes = pool, notes
        self._called: set[str] = set()

    async def look(self, batches: Iterable[Batch]) -> None:
        """Note the first calls among these records, if there are any. Whatever goes wrong is not missed."""
        found: dict[str, tuple[CallRecord, str]] = {}
        for batch in batches:
            for line, status in _calls_by_grants(batch):
                if line.token_id not in self._called:
                    found.setdefault(line.token_id, (line, status))
        if not found:
            return
        try:
            async with transaction(self._pool) as connection:
                first = await oauth_grants.note_first_calls(connection, list(found))
        except (StoreConflict, StoreUnavailable) as fault:
            log.debug("first calls were not noted", extra={"fault": str(fault)})
            return
        if len(self._called) + len(found) > REMEMBERED:
            self._called.clear()
        self._called.update(found)
        await self._notes.note_all([(_attempt(grant, *found[grant.id]), 1) for grant in first])


def _calls_by_grants(batch: Batch) -> Iterator[tuple[CallRecord, str]]:
    """What the records of calls by grants say, and how those ended; of those with one line, the first."""
    for one in batch.records:
        if isinstance(one, CallRecord) and _is_by_a_grant(one):
            yield one, one.status
    lines = {number: line for number, line in enumerate(batch.lines) if _is_by_a_grant(line)}
    for one in batch.records if lines else ():
        if isinstance(one, tuple) and one[0] in lines:
            yield lines.pop(one[0]), one[4]


def _is_by_a_grant(line: CallRecord) -> bool:
    return line.auth in _BY_GRANTS and line.tool != "" and is_id(line.token_id)


def _attempt(grant: Grant, line: CallRecord, status: str) -> NewAttempt:
    well = status in _WENT_WELL
    return NewAttempt(
        step="first_call",
        client=grant.client_name or line.client,
        gateway=grant.gateway_slug,
        user_id=grant.user_id,
        address=line.address,
        reason="" if well else line.reason or f"The call ended with {status}.",
        asked="" if well else f"tool {line.tool}",
        cure="" if well else f"{_CURE} {status}",
    )
