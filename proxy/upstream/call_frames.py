"""What is the same in every call of one tool of one installation, written once: the head, and the body but for its
arguments.

A call then costs the upstream's side one joining of bytes. `SentCalls.begin` uses it for calls that are sent over a
connection at hand; what is unusual (headers that mirror arguments, a resource) is written whole by `Outbound`.
"""

from typing import cast

import orjson

from core.egress.faults import UpstreamFault
from core.mcp.versions import MODERN
from core.resolve import ResolvedInstallation
from proxy.caches.recent import Recent
from proxy.upstream.addresses import address_of
from proxy.upstream.outbound import MODERN_META, Outbound
from proxy.upstream.pool.request import PreparedHead
from proxy.upstream.transport import Transport

_MOST = 2048
_MODERN_END = b',"_meta":%b}}' % orjson.dumps(MODERN_META)


class CallFrame:
    """The frame of one tool's calls for one version of the protocol: of any method with a name and arguments."""

    __slots__ = ("_modern", "_names", "before", "end", "head", "installation")

    def __init__(
        self, installation: ResolvedInstallation, outbound: Outbound, version: str, head: PreparedHead
    ) -> None:
        self.installation, self.head = installation, head
        self._names = frozenset(installation.own_headers)
        """Those of the installation, which win over a caller's."""
        self._modern = version == MODERN
        self.end = _MODERN_END if self._modern else b"}}"
        """What stands behind the arguments where nothing else is in `_meta`."""
        self.before = b',"method":%b,"params":{"name":%b,"arguments":' % (
            orjson.dumps(outbound.method),
            orjson.dumps(outbound.named),
        )
        """What stands between the id and the arguments."""

    def body(self, outbound: Outbound) -> bytes:
        """The message of one call."""
        before, arguments = self.before, orjson.dumps(outbound.params["arguments"])
        if outbound.meta or outbound.wants_progress or (self._modern and outbound.says_more):
            meta = outbound.whole_meta(modern=self._modern)
            return b'{"jsonrpc":"2.0","id":%d%b%b,"_meta":%b}}' % (outbound.id, before, arguments, orjson.dumps(meta))
        return b'{"jsonrpc":"2.0","id":%d%b%b%b' % (
            outbound.id,
            before,
            arguments,
            self.end,
        )

    def end_of(self, outbound: Outbound) -> bytes:
        """What stands behind the arguments of a call like this one, with nothing in `_meta` that is its own."""
        if not (self._modern and outbound.says_more):
            return self.end
        return b',"_meta":%b}}' % orjson.dumps(outbound.whole_meta(modern=True))

    def more(self, outbound: Outbound) -> dict[str, str]:
        """The caller's headers that stand beside those of the head."""
        passed, names = outbound.passed, self._names
        if not passed or names.isdisjoint(passed):
            return passed
        return {name: value for name, value in passed.items() if name not in names}


class CallFrames:
    """Frames by who shares an installation, method, tool and version, while they are used.

    Each serves only the installation that it was made for.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: Recent[tuple[str, str, str, str], CallFrame] = Recent(_MOST)

    def of(self, installation: ResolvedInstallation, outbound: Outbound, version: str) -> CallFrame | None:
        """The frame of this call; None where it must be written whole.

        Raises ValueError for a header that must not be sent.
        """
        if "arguments" not in outbound.params or len(outbound.params) != 2:
            return None
        key = (installation.shared_by, outbound.method, cast("str", outbound.params["name"]), version)
        frame = self._known.get(key)
        # One installation may be reached with another credential: then it is another frame.
        if frame is not None and (frame.installation is installation or frame.installation == installation):
            return None if outbound.param_headers else frame
        return self._made(key, installation, outbound, version)

    def _made(
        self, key: tuple[str, str, str, str], installation: ResolvedInstallation, outbound: Outbound, version: str
    ) -> CallFrame | None:
        if outbound.param_headers:
            return None
        headers = outbound.fixed_headers(installation.own_headers, version)
        try:
            head = self._transport.prepare("POST", address_of(installation), headers)
        except UpstreamFault:
            return None  # an address of no use; who connects says so
        if head is None:
            return None
        frame = CallFrame(installation, outbound, version, head)
        self._known.put(key, frame)
        return frame
