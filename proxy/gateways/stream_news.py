"""What an open stream is told when the lists of its gateway change: the news that its client wants, as events.

`StreamSweep` asks here when a stream's gateway is another one than it was told of. Two revisions with the same list
are no news of it: a new description of the gateway changes none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import orjson

from core.mcp.faults import MessageId
from core.mcp.methods import ACKNOWLEDGED, META_SUBSCRIPTION
from core.mcp.versions import Era
from core.snapshot import OfferKind
from proxy.gateways.compiled import CompiledGateway

TOOLS, PROMPTS, RESOURCES = "toolsListChanged", "promptsListChanged", "resourcesListChanged"
"""News, as `subscriptions/listen` names it."""
METHODS: Final[dict[str, str]] = {
    TOOLS: "notifications/tools/list_changed",
    PROMPTS: "notifications/prompts/list_changed",
    RESOURCES: "notifications/resources/list_changed",
}


class Subscribed(msgspec.Struct, frozen=True, array_like=True):
    """A resource of whose changes a caller hears."""

    exposed: str
    """By which the caller knows it."""
    assignment_id: str
    """The assignment that put its server on the gateway."""
    own: str
    """The server's URI of it."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a modern client listens for, and its request, by which it knows the news."""

    id: MessageId
    wanted: frozenset[str]
    resources: tuple[Subscribed, ...] = ()

    @property
    def acknowledged(self) -> bytes:
        """The first message of the stream."""
        told: dict[str, object] = dict.fromkeys(sorted(self.wanted), True)
        if self.resources:
            told["resourceSubscriptions"] = [one.exposed for one in self.resources]
        params = {"notifications": told, "_meta": {META_SUBSCRIPTION: self.id}}
        return _message(ACKNOWLEDGED, params)

    @property
    def last(self) -> bytes:
        """The last one, where the server ends the stream."""
        result = {"resultType": "complete", "_meta": {META_SUBSCRIPTION: self.id}}
        return orjson.dumps({"jsonrpc": "2.0", "id": self.id, "result": result})


def news_of(before: CompiledGateway, after: CompiledGateway, subscription: Subscription | None) -> list[bytes]:
    """The messages for a stream; a legacy one (None) is told of every list."""
    changed = [news for news in METHODS if _differs(news, before, after)]
    if subscription is None:
        return [_message(METHODS[news]) for news in changed]
    params = {"_meta": {META_SUBSCRIPTION: subscription.id}}
    return [_message(METHODS[news], params) for news in changed if news in subscription.wanted]


def _differs(news: str, before: CompiledGateway, after: CompiledGateway) -> bool:
    if news == TOOLS:
        # By hashes, which bytes keep: it is compared for each of ten thousand streams, and may have megabytes.
        pages, others = before.tool_lists[Era.LEGACY].values(), after.tool_lists[Era.LEGACY].values()
        return list(map(hash, pages)) != list(map(hash, others))
    kind: OfferKind = "prompts" if news == PROMPTS else "resources"
    return before.offers(kind) != after.offers(kind)


def _message(method: str, params: Mapping[str, object] | None = None) -> bytes:
    told: dict[str, object] = {"jsonrpc": "2.0", "method": method}
    return orjson.dumps(told if params is None else {**told, "params": params})
