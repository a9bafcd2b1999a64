"""What the endpoints of the authorization server share: its names, its keys, its limits, the documents of clients.

Made once by `routes.py` from what the public listener stands on.
"""

from dataclasses import dataclass

from control.identity.key_sets import KeySets
from control.oauth.clients.documents import ClientDocuments
from control.oauth.limits import Limits
from control.oauth.traces import Traces
from control.public.deps import PublicDeps
from control.registry.refresh_token import RefreshTokens
from control.store.pool import Pool
from core.jwt import AccessTokenSigner


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """The parts that an endpoint may use beside its request."""

    pool: Pool
    issuer: str
    public_url: str
    """Of gateways."""
    access_tokens: AccessTokenSigner
    refresh_tokens: RefreshTokens
    documents: ClientDocuments
    key_sets: KeySets
    """Of identity providers, whose assertions are checked with them."""
    limits: Limits
    traces: Traces

    @staticmethod
    def of(deps: PublicDeps) -> "AuthorizationServer":
        """The server as this deployment is set up."""
        return AuthorizationServer(
            pool=deps.pool,
            issuer=deps.issuer_url,
            public_url=deps.public_url,
            access_tokens=deps.access_tokens,
            refresh_tokens=deps.refresh_tokens,
            documents=ClientDocuments(deps.egress),
            key_sets=deps.key_sets,
            limits=Limits(deps.redis),
            traces=Traces(deps.sign_ins),
        )

    @property
    def token_endpoint(self) -> str:
        """Where tokens are made, as the metadata names it."""
        return f"{self.issuer}/oauth/token"
