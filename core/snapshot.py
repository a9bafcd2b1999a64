"""The snapshot: all that a proxy must know of one gateway, in one immutable, signed document.

Control compiles it from Postgres (`control/publish/compile.py`), a proxy decodes it and swaps it in whole
(`proxy/gateways/`). It holds no secret: credentials come by resolve calls. `FORMAT` rises when a reader of the
version before could misread a document; writers keep writing the older format for one minor version.
"""

from collections.abc import Iterable
from typing import Any, Final, Literal, get_args

import msgspec

from core.signing import SignatureBroken, Signer, Verifier

FORMAT: Final = 1
MAX_BYTES: Final = 16 << 20
"""A snapshot or index above this is refused: 1,000 tools of 4 KiB are a quarter of it."""

RouteKind = Literal["remote", "cluster", "process"]
OfferKind = Literal["resources", "prompts"]
OFFER_KINDS: Final[tuple[OfferKind, ...]] = get_args(OfferKind)


class Route(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a tool is reached. The address and the credential are not here: a resolve call tells them."""

    kind: RouteKind
    entry_id: str
    entry: str
    """The entry's slug: the server's name in refusals, metrics and records."""
    installation_id: str | None = None
    """Pinned to this installation; None: resolved from the caller at call time."""
    per_principal: bool = True
    """The answer of a resolve call holds for this caller only (dynamic, or a personal installation)."""
    stdio: bool = False
    """A stdio server stands behind: no header is passed through."""
    passthrough: bool = True
    """The entry takes the gateway's allow-listed headers."""
    per_credential: bool = False
    """The answer of a resolve call holds for this caller with this credential only: what the server gets is made of
    the caller's own token."""


class Tool(msgspec.Struct, frozen=True, omit_defaults=True):
    """One assigned tool as this gateway shows it."""

    exposed: str
    upstream: str
    """The server's own name of the tool, or the URI of a resource where `kind` is `resource`."""
    assignment_id: str
    definition: dict[str, Any]
    """The tool as `tools/list` shows it, under its exposed name, in the modern form."""
    route: Route
    kind: Literal["tool", "resource"] = "tool"
    param_headers: list[tuple[str, list[str]]] = []
    """`x-mcp-header` of the input schema: header name without `Mcp-Param-`, path of properties."""


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """All resources or all prompts of a server on a gateway: what there is, each caller's own account sees."""

    name: str
    """By which callers tell them from another server's, where two have one name; of the gateway's offers of its kind
    alone."""
    kind: OfferKind
    assignment_id: str
    exposed: str
    """Of the assignment: what records and limits call it."""
    route: Route
    revision: int = 0
    """Rises when the server says that what it lists has changed; what is remembered of an older one is not used."""


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One ordered policy rule; the first that names a tool decides."""

    effect: Literal["refuse"]
    reason: Literal["quarantined", "held_back", "only_as_task"]
    """The last is in no document: a proxy makes such a rule of the tool's own definition."""
    tools: list[str]
    """Exposed names."""


class Visibility(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who sees the gateway: everybody who has an account here, members of some teams, or its owner."""

    kind: Literal["organisation", "teams", "personal"]
    teams: list[str] = []
    owner: str | None = None
    services: list[str] = []
    """Service accounts that it lets in, where it names its OAuth clients; else every one may enter that sees it."""


class TokenIssuer(msgspec.Struct, frozen=True):
    """The identity provider whose own tokens a gateway takes, and what those must be for."""

    provider_id: str
    issuer: str
    """By which its key set is asked for (`core/key_sets.py`)."""
    audience: str
    """What a token must be for: exactly this. Never empty."""


class Gateway(msgspec.Struct, frozen=True, omit_defaults=True):
    """A gateway as control compiled it: its tools, rules and headers, and who sees it."""

    format: int
    id: str
    slug: str
    name: str
    revision: int
    visibility: Visibility
    tools: list[Tool]
    """Sorted by exposed name."""
    description: str = ""
    instructions: str = ""
    header_allowlist: list[str] = []
    """Lower case."""
    client_auth: list[str] = msgspec.field(default_factory=lambda: ["token"])
    """Ways of authenticating that it accepts, each as `core.resolve.Way` calls it; see `client_auth_of`."""
    client_auth_beside: list[str] = []
    """Further ones. A way that a reader does not know is one that nobody comes by there."""
    audit_required: bool = False
    rules: list[Rule] = []
    may_ask: list[str] = msgspec.field(default_factory=lambda: ["elicitation"])
    """What servers may ask of callers in the middle of a call: words of `core.mcp.questions.Question`."""
    tool_loading: str = "all"
    """`all`: every tool is listed; `search_and_run`: two that find and run them. Another word counts as `all`."""
    offers: list[Offer] = []
    """Sorted by name. A reader that does not know them shows none."""
    identity_provider: TokenIssuer | None = None
    """None: it takes no tokens of an identity provider, whatever `client_auth` says."""

    @property
    def ways(self) -> frozenset[str]:
        """Of authenticating that it accepts."""
        return frozenset(self.client_auth).union(self.client_auth_beside)


class IndexRow(msgspec.Struct, frozen=True, array_like=True):
    """One gateway of the index: its identifier, its slug and its newest revision."""

    id: str
    slug: str
    revision: int


class Index(msgspec.Struct, frozen=True):
    """Every gateway that exists, under one revision that rises with each change of any of them."""

    format: int
    epoch: str
    """The change stream's epoch in which this index was written; of another epoch it proves nothing."""
    revision: int
    gateways: list[IndexRow]


class SnapshotBroken(ValueError):
    """A document that must not be used: too large, not signed, malformed, of a later format or another gateway."""


_gateway = msgspec.msgpack.Decoder(Gateway)
_index = msgspec.msgpack.Decoder(Index)
_pack = msgspec.msgpack.Encoder()


def client_auth_of(ways: Iterable[str]) -> tuple[list[str], list[str]]:
    """`client_auth` and `client_auth_beside` of a gateway that accepts these ways of authenticating.

    Version 0.1 takes tokens on each gateway that it can read, and can read none with another word than `token` in
    `client_auth`. So one that accepts tokens and more is still read there, and one that accepts none is not.
    """
    others = sorted({*ways} - {"token"})
    return (["token"], others) if "token" in ways else (others or ["none"], [])


def sign_gateway(gateway: Gateway, signer: Signer) -> bytes:
    """The document that is stored and sent."""
    return signer.sign(_pack.encode(gateway), "gateway", gateway.id)


def open_gateway(document: bytes, gateway_id: str, verifier: Verifier) -> Gateway:
    """The gateway in a document; raises SnapshotBroken and then nothing of it may be used."""
    try:
        payload = _verified(document, verifier, "gateway", gateway_id)
        gateway = _gateway.decode(payload)
    except (SignatureBroken, msgspec.MsgspecError) as broken:
        raise SnapshotBroken(f"snapshot of gateway {gateway_id}: {broken}") from broken
    if gateway.format > FORMAT or gateway.id != gateway_id:
        raise SnapshotBroken(f"snapshot of gateway {gateway_id}: format {gateway.format}, id {gateway.id}")
    names = [tool.exposed for tool in gateway.tools]
    if len(set(names)) != len(names):
        raise SnapshotBroken(f"snapshot of gateway {gateway_id}: two tools share an exposed name")
    return gateway


def sign_index(index: Index, signer: Signer) -> bytes:
    """The index as it is stored and sent."""
    return signer.sign(_pack.encode(index), "index")


def open_index(document: bytes, verifier: Verifier) -> Index:
    """The index in a document; raises SnapshotBroken."""
    try:
        index = _index.decode(_verified(document, verifier, "index"))
    except (SignatureBroken, msgspec.MsgspecError) as broken:
        raise SnapshotBroken(f"index of gateways: {broken}") from broken
    if index.format > FORMAT:
        raise SnapshotBroken(f"index of gateways: format {index.format} is later than ours")
    return index


def _verified(document: bytes, verifier: Verifier, *bound: str) -> bytes:
    if len(document) > MAX_BYTES:
        raise SignatureBroken(f"larger than {MAX_BYTES} bytes")
    return verifier.verify(document, *bound)
