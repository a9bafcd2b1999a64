"""JSON-RPC error codes, the exception for a wrong message, and the two shapes of an answer.

Raised by the parsers of this package and turned into an HTTP answer by the proxy. Archway's own reasons
(a missing credential, a policy, an upstream that is down) are not here: they are the proxy's.
"""

from __future__ import annotations

# JSON-RPC 2.0 section 5.1.
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

# Of legacy revisions alone: 2026-07-28 says INVALID_PARAMS instead.
RESOURCE_NOT_FOUND = -32002

# MCP 2025-11-25, elicitation in URL mode; a modern client is asked by a result.
URL_ELICITATION_REQUIRED = -32042

# MCP 2026-07-28.
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022

MessageId = str | int


class MessageFault(Exception):
    """A message that breaks the protocol.

    `code` and `message` go into the JSON-RPC error, with `data` when it is not None. `id` is the
    request's id where the message had a valid one, else None. `http_status` is the status to answer
    with, already judged by era: a legacy request that can be answered by its id gets 200 (legacy
    SDKs take any other status for a broken transport); everything else gets 400.
    """

    __slots__ = ("code", "data", "http_status", "id", "message")

    def __init__(
        self,
        code: int,
        message: str,
        http_status: int = 400,
        id: MessageId | None = None,  # noqa: A002 - the JSON-RPC member is called id
        data: dict[str, object] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.http_status = http_status
        self.id = id
        self.data = data

    def body(self) -> dict[str, object]:
        """The JSON-RPC error object that answers this message."""
        return error_message(self.id, self.code, self.message, self.data)


def error_message(
    id: MessageId | None,  # noqa: A002 - the JSON-RPC member is called id
    code: int,
    message: str,
    data: dict[str, object] | None = None,
) -> dict[str, object]:
    """A JSON-RPC error response; `id` is None where no valid id could be read."""
    error: dict[str, object] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": id, "error": error}


def result_message(
    id: MessageId,  # noqa: A002 - the JSON-RPC member is called id
    result: dict[str, object],
) -> dict[str, object]:
    """A JSON-RPC success response."""
    return {"jsonrpc": "2.0", "id": id, "result": result}
