"""Archway as an authorization server knows it: a client there, and how it proves that it is it.

Made by `registration.py`, or by whoever keeps one, and given to every request of `token_request.py` and
`revocation.py`. A client is of one issuer: nothing that it has is ever shown to another.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from core.client_keys import ClientKey

Method = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
"""How a client proves itself at the token endpoint."""
METHODS: tuple[Method, ...] = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
How = Literal["own", "document", "dynamic"]
"""How the authorization server came to know it: registered by hand, by a document of ours, or by itself."""


def method_named(name: str) -> Method:
    """The method of this name, as an entry or a row has it; `none` for a name of no method."""
    return next((one for one in METHODS if one == name), "none")


class UpstreamClient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A client of ours at one authorization server. Its secret is sealed by whoever keeps it, and shown to nobody."""

    issuer: str
    """Whose client it is; its secret goes to no other."""
    client_id: str
    client_secret: str = ""
    authentication: Method = "none"
    how: How = "own"
    secret_expires_at: int = 0
    """When the secret ends, in Unix seconds, and Archway has to register again; 0: never."""

    def __repr__(self) -> str:
        return f"UpstreamClient({self.client_id!r} of {self.issuer!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlace:
    """Where tokens come from, and as whom they are asked for."""

    endpoint: str
    """The token endpoint; for a revocation, the endpoint of that."""
    client: UpstreamClient
    key: ClientKey | None = None
    """Signs for a client that proves itself with `private_key_jwt`."""
    algorithms: tuple[str, ...] = ()
    """What the authorization server takes such signatures by; () where it does not say."""

    def __repr__(self) -> str:
        return f"TokenPlace({self.endpoint!r})"


def place_at(server: AuthorizationServer, client: UpstreamClient, key: ClientKey | None = None) -> TokenPlace:
    """The token endpoint of a server, as the client that we are there. ValueError for a client of another issuer."""
    if client.issuer != server.issuer:
        raise ValueError(f"{client!r} is no client of {server.issuer!r}")
    return TokenPlace(endpoint=server.token_endpoint, client=client, key=key, algorithms=server.signing_algorithms)
