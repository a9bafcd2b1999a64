"""What is to be asked of an upstream, before it is known which era it speaks."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.mcp.header_values import SafeHeaderValue, encode_sentinel
from core.mcp.methods import (
    META_CLIENT_CAPABILITIES,
    META_CLIENT_INFO,
    META_PROTOCOL_VERSION,
    NAME_PARAMETER,
)
from core.mcp.versions import MODERN
from core.resolve import Connection
from proxy.identity import CLIENT_INFO

ACCEPT = "application/json, text/event-stream"
_REMEMBERED_IDS = 8192


def _unguessable() -> Iterator[int]:
    """Random numbers of 31 bits, none of which is among the 8192 before it.

    An upstream that can tell the next id could send its answer before the request is made, on a connection that
    another caller gets. No more bits, as there are servers that read an id into a signed integer of 32.
    """
    older: set[int] = set()
    newer: set[int] = set()
    while True:
        for drawn in memoryview(os.urandom(1024)).cast("I"):
            number = drawn >> 1
            if not number or number in newer or number in older:
                continue
            if len(newer) >= _REMEMBERED_IDS:
                older, newer = newer, set()
            newer.add(number)
            yield number


_ids = _unguessable()


def own_headers(connection: Connection) -> dict[str, str]:
    """The installation's headers, lower case: the credential's over the entry's own."""
    return dict(connection.own_headers)


@dataclass(slots=True)
class Outbound:
    """One request to an upstream. Identifier and progress token are ours: unique in this worker, and no upstream
    can guess those of a request that it has not got.

    Header names are lower case throughout, so that no name can stand in it twice in two spellings.
    """

    method: str
    params: dict[str, object]
    """Without `_meta`."""
    headers: dict[str, str]
    """The caller's allow-listed, the entry's and the credential's headers, lower case."""
    meta: dict[str, object] = field(default_factory=dict)
    """`_meta` of the caller without the protocol's own keys: vendor keys and the trace context."""
    param_headers: dict[str, SafeHeaderValue] = field(default_factory=dict)
    wants_progress: bool = False
    id: int = field(default_factory=lambda: next(_ids))

    @property
    def progress_token(self) -> str:
        """Our token, whatever the caller's is: two callers may use the same."""
        return f"p{self.id}"

    def modern(self) -> tuple[dict[str, object], dict[str, str]]:
        """Message and headers for a 2026-07-28 upstream."""
        meta = self._meta()
        meta.update(_MODERN_META)
        headers = dict(self.headers)
        for name, value in self.param_headers.items():
            headers[name.lower()] = value
        headers.update(_MODERN_HEADERS)
        headers["mcp-method"] = self.method
        named = self.params.get(NAME_PARAMETER.get(self.method, ""))
        if isinstance(named, str):
            headers["mcp-name"] = encode_sentinel(named)
        return self._message(meta), headers

    def legacy(self, version: str, session: str | None) -> tuple[dict[str, object], dict[str, str]]:
        """Message and headers for an upstream of the legacy `version`."""
        headers = self.headers | _transport_headers(version)
        if session is not None:
            headers["mcp-session-id"] = session
        return self._message(self._meta()), headers

    def _meta(self) -> dict[str, object]:
        meta = dict(self.meta)
        if self.wants_progress:
            meta["progressToken"] = self.progress_token
        return meta

    def _message(self, meta: dict[str, object]) -> dict[str, object]:
        params = dict(self.params)
        if meta:
            params["_meta"] = meta
        return {"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": params}


def _transport_headers(version: str) -> dict[str, str]:
    return {"content-type": "application/json", "accept": ACCEPT, "mcp-protocol-version": version}


_MODERN_HEADERS = _transport_headers(MODERN)
_MODERN_META: dict[str, object] = {
    META_PROTOCOL_VERSION: MODERN,
    META_CLIENT_CAPABILITIES: {},
    META_CLIENT_INFO: CLIENT_INFO,
}
