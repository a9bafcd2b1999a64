"""What the parts of the listener for people stand on: made by `control/replica.py`, handed to the `routes` of each.

A part (`control/oauth/`, `control/sign_in/`, `control/console/`) has a function `routes(deps)` that gives the
application its routes; `control/public_listener.py` lists the parts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web

from control.accounts.sign_ins import SignIns
from control.changes.safeguards import Safeguards
from control.discovery.under_way import DiscoveriesUnderWay
from control.explain.explaining import Explaining
from control.http.cookies import CookieRules, rules_for
from control.identity.key_sets import KeySets
from control.identity.single_sign_on import SingleSignOn
from control.records.sign_in_notes import SignInNotes
from control.redis import Redis
from control.registry.refresh_token import RefreshTokens
from control.registry.row_seals import RowSeals
from control.registry.server_state import Place
from control.servers.runtime import Runtime
from control.store.pool import Pool
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.jwt import AccessTokenSigner
from core.signing import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicDeps:
    """Everything that a handler for people or OAuth clients may use beside its request."""

    pool: Pool
    redis: Redis
    """For what may be forgotten at any time; each command has a deadline."""
    seals: RowSeals
    safeguards: Safeguards
    signer: Signer
    egress: Egress
    """Guarded: it reaches public addresses, and those that the operator has opened."""
    single_sign_on: SingleSignOn
    key_sets: KeySets
    """Of identity providers: they are asked again for an admin who waits."""
    explaining: Explaining
    """Says what would become of calls."""
    account_sign_ins: SignIns
    """Signs people in at the providers of servers."""
    discoveries: DiscoveriesUnderWay
    """Asks servers what they offer while the person looks elsewhere."""
    public_url: str
    """Of gateways, without a slash at the end."""
    issuer_url: str
    """Of people's pages and of the authorization server, without a slash at the end."""
    allowed_hosts: frozenset[str]
    """Names (lower case, no port) under which the listener answers."""
    access_tokens: AccessTokenSigner
    refresh_tokens: RefreshTokens
    statement_keys: tuple[dict[str, str], ...] = ()
    """Public keys (JWK) of what servers are told of callers."""
    from_proxies: InternalCalls | None = None
    """Checks the word of our proxies on where a request came from; None: no proxy passes requests on."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks whose X-Forwarded-For is believed where no proxy of ours is before them."""
    records_days: int = 30
    """How many days of calls are kept."""
    runtime: Runtime | None = None
    """Where servers run that are ours; None: nowhere."""

    sign_ins: SignInNotes = field(init=False)
    """Keeps what happened at the door."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sign_ins", SignInNotes(self.pool))  # how a frozen one is completed

    @property
    def place(self) -> Place | None:
        """Where servers run that are ours."""
        return self.runtime.place if self.runtime is not None else None

    @property
    def cookies(self) -> CookieRules:
        """How cookies are named and guarded where people's pages are."""
        return rules_for(self.issuer_url)


Part = Callable[[PublicDeps], list[web.RouteDef]]
"""A part of the listener: its routes, made of what it stands on."""
