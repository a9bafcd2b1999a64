"""The record of a call, and the batches in which records travel from proxies to control.

A batch is numbered per worker without holes, so that control can insert it once and name what is missing. No
argument and no result is in a record, only the digest of the arguments.
"""

from typing import Literal

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
    """`user:ID`, `team:ID` or `organisation`."""
    auth: str = ""
    """Kind of authentication: `token`."""
    token_id: str = ""
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


class Batch(msgspec.Struct, frozen=True):
    """A numbered batch of one worker's call records, in order."""

    worker: str
    """Unique per worker process."""
    number: int
    """1, 2, 3 ... per worker."""
    dropped: int
    """How many records were lost between the batch before and this one."""
    records: list[CallRecord]


BATCH_PURPOSE = "records"
"""Batches are sealed on the stream with the proxy key under this purpose, bound to worker and number."""
