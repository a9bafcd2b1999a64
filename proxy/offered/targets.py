"""What a call may be for beside a tool: a list of a server, one of its prompts or resources, an argument to complete.

Made by `proxy/stages/choose_offered.py` and `proxy/lists.py` of an offer of the gateway; the stages after them know
no more of it than `proxy.exchange.Target` says. A server's own name or URI goes to it, whatever callers know it by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from core.mcp.faults import INVALID_PARAMS, METHOD_NOT_FOUND, RESOURCE_NOT_FOUND
from core.mcp.large_answer_json import items_of
from core.mcp.methods import COMPLETE, PROMPTS_GET, RESOURCES_READ
from core.mcp.param_headers import ParamHeaders
from core.snapshot import Offer, Route

_THEIR_CALLERS_FAULT: Final = (INVALID_PARAMS, RESOURCE_NOT_FOUND)
_EMPTY: Final[dict[str, object]] = {"completion": {"values": [], "total": 0, "hasMore": False}}


@dataclass(frozen=True, slots=True)
class Offered:
    """Something of an offer that a call is for."""

    offer: Offer
    own: str
    """The server's name or URI of it."""

    rule: ClassVar[None] = None
    """An offer that may not be used is not in the snapshot."""
    param_headers: ClassVar[ParamHeaders] = ()

    @property
    def exposed(self) -> str:
        """What records and limits call it: the offer's assignment, whatever it is of it."""
        return self.offer.exposed

    @property
    def assignment_id(self) -> str:
        """The assignment that put it on the gateway."""
        return self.offer.assignment_id

    @property
    def route(self) -> Route:
        """How it is reached."""
        return self.offer.route

    def is_callers_fault(self, code: object) -> bool:
        """Whether a server's error says that there is no such thing, or that its parameters are wrong."""
        return code in _THEIR_CALLERS_FAULT

    def instead_of(self, code: object) -> dict[str, object] | None:
        """What the caller gets in place of a server's error; None for a refusal."""
        return None


class OfferedPrompt(Offered):
    """A prompt of a server, which a caller gets with arguments of their own."""

    __slots__ = ()

    def asks(self, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
        """Getting it, with the caller's arguments."""
        asked: dict[str, object] = {"name": self.own}
        if params.get("arguments") is not None:
            asked["arguments"] = params["arguments"]
        return PROMPTS_GET, asked

    def result_of(self, result: dict[str, object]) -> dict[str, object] | None:
        """The server's result, if it has messages."""
        return result if items_of(result.get("messages")) is not None or _asks(result) else None


class OfferedResource(Offered):
    """A resource of a server, which a caller reads, whether it stands in a list or not."""

    __slots__ = ()

    def asks(self, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
        """Reading it."""
        return RESOURCES_READ, {"uri": self.own}

    def result_of(self, result: dict[str, object]) -> dict[str, object] | None:
        """The server's result, if it has contents; nobody but this caller may keep it."""
        if items_of(result.get("contents")) is None:
            return result if _asks(result) else None
        return {"ttlMs": 0, **result, "cacheScope": "private"}


class OfferedArgument(Offered):
    """An argument of a prompt or of a template of resources, to be completed."""

    __slots__ = ()

    def asks(self, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
        """Its completion, for the server's own prompt or template."""
        ref = params.get("ref")
        assert isinstance(ref, dict)  # whoever chose has looked
        key = "name" if ref.get("type") == "ref/prompt" else "uri"
        asked: dict[str, object] = {"ref": {**ref, key: self.own}, "argument": params.get("argument")}
        if params.get("context") is not None:
            asked["context"] = params["context"]
        return COMPLETE, asked

    def result_of(self, result: dict[str, object]) -> dict[str, object] | None:
        """The server's result, if it has a completion."""
        return result if isinstance(result.get("completion"), dict) else None

    def instead_of(self, code: object) -> dict[str, object] | None:
        """Nothing to complete with, where the server completes nothing: others of the gateway may."""
        return _EMPTY if code == METHOD_NOT_FOUND else None


@dataclass(frozen=True, slots=True)
class OfferedList(Offered):
    """A page of a list of a server; `own` is the cursor, empty for the first."""

    method: str = ""
    member: str = ""
    """Of the result: the items."""

    def asks(self, params: Mapping[str, Any]) -> tuple[str, dict[str, object]]:
        """The page."""
        return self.method, {"cursor": self.own} if self.own else {}

    def result_of(self, result: dict[str, object]) -> dict[str, object] | None:
        """The server's result."""
        return result

    def is_callers_fault(self, code: object) -> bool:
        """Never: the cursor is the server's own."""
        return False

    def instead_of(self, code: object) -> dict[str, object] | None:
        """An empty list, of a server that has none: many with resources have no templates."""
        return {self.member: []} if code == METHOD_NOT_FOUND else None


def _asks(result: Mapping[str, object]) -> bool:
    """Whether a result is a question: then there is nothing else in it."""
    return result.get("resultType") == "input_required"
