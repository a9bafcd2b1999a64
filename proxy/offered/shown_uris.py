"""URIs in a result, as its caller knows them: in contents that were read, in resources and links within a result.

Where several servers offer resources on a gateway, a URI that a server gives must lead back to that server. It stays
as it is wherever it does. Where it would lead elsewhere or nowhere, the offer's name stands before it, as in lists
(`names.py`); so it does not where nobody lists what is a place on the web, which clients open by themselves. Pure;
the stage `show_uris` makes one for a call, and `relay` uses it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import orjson

from core.mcp.large_answer_json import items_of, members_of
from core.snapshot import Offer
from proxy.offered.names import Shown, whose_template, with_name

MOST_BY_TEMPLATE: Final = 32
"""URIs of one result that are compared with templates: those beyond get the name of their offer."""
_HOLDING: Final = ("resource", "resource_link")
"""Types of blocks that have a URI. No set: a server may say a list, of which a set cannot be asked."""
_WEB: Final = ("https://", "http://")


class ShownUris:
    """How one caller knows the URIs of one server, for one result."""

    def __init__(
        self,
        offer: Offer | None,
        listed: Sequence[Shown],
        templates: Sequence[Shown],
        offers: Collection[Offer],
        known: Mapping[str, str],
    ) -> None:
        """`offer`: whose name is put before URIs; None where none needs it. `listed`, `templates`: of all servers, as
        the caller sees them. `offers`: all resources of the gateway. `known`: what further URIs of the server are, to
        this caller.
        """
        self._offer, self._templates, self._offers = offer, templates, offers
        ours = {one.own: one.exposed for one in listed if offer is not None and _same(one.offer, offer)}
        self._known = {**ours, **known}
        self._taken = {one.exposed for one in listed}
        self._left = MOST_BY_TEMPLATE

    def of(self, own: str) -> str:
        """The URI by which the caller reads what its server calls `own`."""
        known = self._known.get(own)
        if known is None:
            offer = self._offer
            known = self._known[own] = own if offer is None or self._leads_back(own, offer) else with_name(offer, own)
        return known

    def shown_in(self, result: dict[str, object]) -> dict[str, object]:
        """A result of a tool, a prompt or a read with the caller's URIs; the server's is left as it is."""
        shown = dict(result)
        for member, change in _PLACES.items():
            items = items_of(result.get(member), that_hold=b'"uri"')
            if items is not None:
                shown[member] = [change(item, self.of) for item in items]
        if isinstance(done := result.get("result"), dict):  # of a task
            shown["result"] = self.shown_in(done)
        return shown

    def _leads_back(self, own: str, offer: Offer) -> bool:
        if own in self._taken:
            return False
        if self._left > 0:
            self._left -= 1
            found = whose_template(self._templates, own, self._offers)
            if found is not None:
                return _same(found[0], offer)
        return own.startswith(_WEB)


def _same(one: Offer, other: Offer) -> bool:
    return one.assignment_id == other.assignment_id


def holds_uris(result: Mapping[str, object]) -> bool:
    """Whether a result may hold URIs; of a part that was not taken apart, it may."""
    if "contents" in result:
        return True
    if isinstance(done := result.get("result"), dict):  # of a task
        return holds_uris(done)
    content, messages = result.get("content"), result.get("messages")
    if isinstance(content, orjson.Fragment) or isinstance(messages, orjson.Fragment):
        return True
    blocks = content if isinstance(content, list) else []
    told = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    return any(_kind(block) in _HOLDING for block in (*blocks, *told))


def _kind(block: object) -> object:
    return block.get("type") if isinstance(block, dict) else None


_Shown = Callable[[str], str]


def _contents(item: object, shown: _Shown) -> object:
    """What was read, and what is embedded."""
    members = members_of(item)
    uri = members.get("uri") if members is not None else None
    return {**members, "uri": shown(uri)} if members is not None and isinstance(uri, str) else item


def _block(item: object, shown: _Shown) -> object:
    """A block of content: a resource, a link to one, or another, which stays."""
    members = members_of(item)
    kind = members.get("type") if members is not None else None
    if members is None or kind not in _HOLDING:
        return item
    if kind == "resource_link":
        return _contents(members, shown)
    return {**members, "resource": _contents(members["resource"], shown)} if "resource" in members else item


def _message(item: object, shown: _Shown) -> object:
    """A message of a prompt, which has one block."""
    members = members_of(item)
    return item if members is None else {**members, "content": _block(members.get("content"), shown)}


_PLACES: Final[dict[str, Callable[[object, _Shown], object]]] = {
    "content": _block,
    "contents": _contents,
    "messages": _message,
}
"""Members of results that hold URIs, and how one item of each is shown."""
