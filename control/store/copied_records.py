"""Records in the form in which COPY takes them fastest, PostgreSQL's binary one: pure.

Called by `control/records/rows.py` for every record, so what the records of one line have in common is packed once.
The form is told at https://www.postgresql.org/docs/current/sql-copy.html: a count of columns, then each value behind
its length. Left out: what cannot go this way because it is there already (`records.insert_batch`).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from struct import Struct
from typing import Any, Final, TypeAlias

import orjson

COLUMNS: Final = (
    "id", "time", "principal", "token_id", "gateway_id", "tool", "entry_id", "installation_id", "decision", "status",
    "request_id", "duration_ms", "record",
)  # fmt: skip
"""Columns of `records`."""
RecordValues: TypeAlias = tuple[Any, ...]
"""In the order of the columns."""
HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"

_BEGIN: Final = Struct(">hi16siq")  # how many columns; id; time
_LENGTH: Final = Struct(">i")
_END: Final = Struct(">idiB")  # duration; length of `record` and the version of jsonb, which belongs to it
_JSONB: Final = 1
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


class PackedLine:
    """What records have in common: seven columns from `principal` on, and members of `record` that are not their own.

    `members` must not be empty.
    """

    __slots__ = ("_common", "_members")

    def __init__(self, common: Sequence[str], members: Mapping[str, Any]) -> None:
        self._common = b"".join(packed_text(one) for one in common)
        self._members = orjson.dumps(members)[:-1] + b","

    def packed(
        self,
        record_id: str,
        time: int,
        status: bytes,
        request_id: bytes,
        duration_ms: float,
        own: dict[str, Any],
    ) -> bytes:
        """The record with these values and its own members of `record`.

        Both texts are packed, `time` is in `microseconds`.
        """
        json = self._members + orjson.dumps(own)[1:]
        return b"".join(
            (
                _BEGIN.pack(len(COLUMNS), 16, bytes.fromhex(record_id.replace("-", "")), 8, time),
                self._common,
                status,
                request_id,
                _END.pack(8, duration_ms, len(json) + 1, _JSONB),
                json,
            )
        )


def packed_record(values: RecordValues) -> bytes:
    """A whole record."""
    record_id, time, *texts, duration_ms, record = values
    json = orjson.dumps(record)
    return b"".join(
        (
            _BEGIN.pack(len(COLUMNS), 16, bytes.fromhex(record_id.replace("-", "")), 8, microseconds(time)),
            *map(packed_text, texts),
            _END.pack(8, duration_ms, len(json) + 1, _JSONB),
            json,
        )
    )


def packed_text(text: str) -> bytes:
    """A text behind its length."""
    encoded = text.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def microseconds(time: datetime) -> int:
    """Since 2000, as PostgreSQL counts."""
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
