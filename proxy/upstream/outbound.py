"""What is to be asked of an upstream, before it is known which era it speaks."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.mcp.header_values import SafeHeaderValue, encode_sentinel
from core.mcp.methods import (
    META_CLIENT_CAPABILITIES,
    META_CLIENT_INFO,
    META_LOG_LEVEL,
    META_PROTOCOL_VERSION,
    NAME_PARAMETER,
)
from core.mcp.questions import profile_of
from core.mcp.versions import MODERN
from proxy.our_name import CLIENT_INFO
from proxy.upstream.list_answers import ListAnswers

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
new_upstream_id = _ids.__next__
"""The identifier of a request to an upstream: a number of 31 bits that nobody can guess."""


@dataclass(slots=True)
class Outbound:
    """One request to an upstream. Identifier and progress token are ours: unique in this worker, and no upstream
    can guess those of a request that it has not got.

    Header names are lower case throughout, so that no name can stand in it twice in two spellings.
    """

    method: str
    params: dict[str, object]
    """Without `_meta`."""
    own: dict[str, str]
    """The entry's and the credential's headers, lower case. Shared by all calls: not to be changed."""
    passed: dict[str, str] = field(default_factory=dict)
    """The caller's allow-listed headers and the trace context, lower case, which stand under the `own` ones."""
    meta: dict[str, object] = field(default_factory=dict)
    """`_meta` of the caller without the protocol's own keys: vendor keys and the trace context."""
    param_headers: dict[str, SafeHeaderValue] = field(default_factory=dict)
    wants_progress: bool = False
    hears: bool = False
    """Whether what the server logs meanwhile goes to the caller."""
    capabilities: dict[str, object] = field(default_factory=dict)
    """What the server may ask the caller for."""
    extensions: dict[str, object] = field(default_factory=dict)
    """What else a modern server is told that the caller knows: extensions of the protocol."""
    on_stream: bool = False
    """Whether the caller can be asked while the call runs, as a legacy server does."""
    log_level: str = ""
    """What a modern server is told of that: without a level it logs nothing."""
    lists: ListAnswers | None = None
    """What reads the answer, where it is a page of a list."""
    id: int = field(default_factory=new_upstream_id)

    @property
    def progress_token(self) -> str:
        """Our token, whatever the caller's is: two callers may use the same."""
        return f"p{self.id}"

    @property
    def named(self) -> str:
        """The tool that is called, by the upstream's name; empty for what has no name."""
        name = self.params.get(NAME_PARAMETER.get(self.method, ""))
        return name if isinstance(name, str) else ""

    @property
    def headers(self) -> dict[str, str]:
        """Those that are not the transport's: the installation's own over the caller's."""
        return self.passed | self.own

    def modern(self) -> tuple[dict[str, object], dict[str, str]]:
        """Message and headers for a 2026-07-28 upstream."""
        headers = self.headers
        for name, value in self.param_headers.items():
            headers[name.lower()] = value
        return self._message(self.whole_meta(modern=True)), self.fixed_headers(headers, MODERN)

    def legacy(self, version: str, session: str | None) -> tuple[dict[str, object], dict[str, str]]:
        """Message and headers for an upstream of the legacy `version`."""
        headers = self.fixed_headers(self.headers, version)
        if session is not None:
            headers["mcp-session-id"] = session
        return self._message(self.whole_meta(modern=False)), headers

    def fixed_headers(self, under: dict[str, str], version: str) -> dict[str, str]:
        """The transport's headers for this version over those `under` them."""
        headers = {**under, "content-type": "application/json", "accept": ACCEPT, "mcp-protocol-version": version}
        if version == MODERN:
            headers["mcp-method"] = self.method
            if self.named:
                headers["mcp-name"] = encode_sentinel(self.named)
        return headers

    @property
    def profile(self) -> str:
        """Which legacy session it needs: the one that declares the same; empty for one that declares nothing."""
        return profile_of(self.declared) if self.capabilities else ""

    @property
    def declared(self) -> dict[str, object]:
        """What a legacy session for it declares."""
        return self.capabilities if self.on_stream else {}

    @property
    def says_more(self) -> bool:
        """Whether `_meta` for a modern server has more than every call's."""
        return bool(self.capabilities or self.log_level or self.extensions)

    def whole_meta(self, *, modern: bool) -> dict[str, object]:
        """`_meta` as it is sent."""
        meta = dict(self.meta)
        if self.wants_progress:
            meta["progressToken"] = self.progress_token
        if modern:
            meta.update(MODERN_META)
            if self.extensions:
                meta[META_CLIENT_CAPABILITIES] = {**self.capabilities, "extensions": self.extensions}
            elif self.capabilities:
                meta[META_CLIENT_CAPABILITIES] = self.capabilities
            if self.log_level:
                meta[META_LOG_LEVEL] = self.log_level
        return meta

    def _message(self, meta: dict[str, object]) -> dict[str, object]:
        params = dict(self.params)
        if meta:
            params["_meta"] = meta
        return {"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": params}


MODERN_META: dict[str, object] = {
    META_PROTOCOL_VERSION: MODERN,
    META_CLIENT_CAPABILITIES: {},
    META_CLIENT_INFO: CLIENT_INFO,
}
