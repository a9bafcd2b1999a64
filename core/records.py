"""The record of a call, and the batches in which records travel from proxies to control.

A batch is numbered per worker without holes, so that control can insert it once and name what is missing. No
argument and no result is in a record, only the digest of the arguments. Calls that went by a plan have almost all in
common with others of that plan: that is in a batch once, as a line, and the record of such a call is a row that names
its line. A row of fields means the same as the record that the line becomes with them.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec


class CallRecord(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The record of one tool call: who called what, and how it ended. Or of a request of a known caller that was
    refused before there was a call: then `tool` is empty, and `method` is too where the message was not read yet.
    """

    id: str
    time: float
    """Unix seconds at which the call came in."""
    duration_ms: float
    request_id: str
    decision: Literal["allowed", "refused"]
    status: str
    """`ok`, `tool_error` (the server's own isError), `cancelled`, `wrong_message`, or the reason word of a refusal or
    fault."""
    method: str
    principal: str = ""
    """`user:ID`, `team:ID`, `service:ID`, `external:ID` or `organisation`."""
    auth: str = ""
    """Way of authenticating: a word of `core.resolve.Way`."""
    token_id: str = ""
    """Of the credential: the token, or the grant behind an access token."""
    client: str = ""
    """Name and version as the client states them, cut to 128 characters."""
    address: str = ""
    gateway_id: str = ""
    gateway_revision: int = 0
    tool: str = ""
    entry_id: str = ""
    installation_id: str = ""
    installation_owner: str = ""
    credential_version: int = 0
    account: str = ""
    """The account at the server's provider that acted, as the provider names it."""
    arguments_sha256: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    session: str = ""
    trace_id: str = ""
    reason: str = ""
    """The sentence that the caller got, where something was refused or went wrong, cut to 256 characters."""
    gateway_asked: str = ""
    """The gateway as the caller named it, where they were not let in; cut to 128 characters."""
    left_out: int = 0
    """At the door: how many refusals of this caller since the record before have none."""
    issuer: str = ""
    """Of an identity provider's own token: who made it, as it says itself."""
    subject: str = ""
    """Who bears it in its issuer's words: a person there, or a job."""


Row: TypeAlias = tuple[
    Annotated[int, msgspec.Meta(ge=0)],
    str,
    float,
    float,
    str,
    Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)],
    int,
    int,
]
"""The record of a call that has the rest in common with others: which of the batch's lines that is, `id` (and
`request_id`), `time`, `duration_ms`, `status`, `arguments_sha256` as bytes, `bytes_in`, `bytes_out`."""

FORMAT: Final = 2
"""The newest form of a batch. The first has whole records alone; the second may have rows and lines besides."""


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """A numbered batch of one worker's call records, in order."""

    worker: str
    """Unique per worker process."""
    number: int
    """1, 2, 3 ... per worker."""
    dropped: int
    """How many records were lost between the batch before and this one."""
    records: list[CallRecord | Row]
    lines: list[CallRecord] = []
    """What rows have in common: records in which the fields of a row are empty."""
    format: int = 1


_decoder: Final = msgspec.msgpack.Decoder(Batch)


def read_batch(body: bytes) -> Batch:
    """The batch in these bytes, of every form that there is; ValueError for one of a later form or a broken one."""
    batch = _decoder.decode(body)
    if not 1 <= batch.format <= FORMAT:
        raise ValueError(f"form {batch.format} of a batch is later than ours")
    if any(type(one) is tuple and one[0] >= len(batch.lines) for one in batch.records):
        raise ValueError("a row names a line that the batch has not")
    return batch


BATCH_PURPOSE = "records"
"""Batches are sealed on the stream with the proxy key under this purpose, bound to worker and number."""
