"""An authorize request while it is checked: what was sent, and what the checks have made of it so far.

Made by `endpoint.py`, filled by the checks of `list.py` in their order; a later one may rely on what an earlier one
has put there.
"""

from dataclasses import dataclass, field

from aiohttp import web

from control.oauth.named_client import NamedClient
from control.oauth.parameters import Parameters
from control.oauth.server import AuthorizationServer
from control.public.visitor import Visitor
from control.registry.gateway import Gateway


@dataclass(slots=True)
class AuthorizeRequest:
    """What a client asks a person for."""

    server: AuthorizationServer
    http: web.Request
    sent: Parameters
    client: NamedClient | None = None
    redirect_uri: str = ""
    """Where the person goes back to; '' until it is known to be the client's."""
    state: str = ""
    challenge: str = ""
    gateway: Gateway | None = None
    """None before a person is known, where the client names no gateway."""
    scopes: tuple[str, ...] = ()
    prompts: frozenset[str] = field(default_factory=frozenset)
    visitor: Visitor | None = None

    @property
    def named_client(self) -> NamedClient:
        """The client; only behind the check that finds it."""
        assert self.client is not None
        return self.client

    @property
    def person(self) -> Visitor:
        """The person; only behind the check that they are signed in."""
        assert self.visitor is not None
        return self.visitor

    @property
    def named_gateway(self) -> Gateway:
        """The gateway; only behind the last check."""
        assert self.gateway is not None
        return self.gateway
