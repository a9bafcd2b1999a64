"""How Archway becomes a client at an authorization server: one registered by hand, a document of ours, or by itself.

Called before somebody is sent there for the first time, and again when the issuer is another one or the secret has
ended. In this order, unless the entry says which: the entry's own client, a document (CIMD), dynamic registration
(RFC 7591), else an admin is asked. Everything is of one issuer. Leaves out where clients are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.client import METHODS, How, Method, UpstreamClient
from control.credentials.upstream_oauth.unfit import AskTheAdmin
from control.providers.asking import Answer, Asker, error_word, is_refusal, unusable
from control.registry.credential import IdentityAssertion, OAuthCredential

NAME: Final = "Archway"
_GRANTS: Final = ("authorization_code", "refresh_token")
_WITH_SECRET: Final = frozenset({"client_secret_basic", "client_secret_post"})
_LONGEST: Final = 4_096
_LATEST: Final = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class OurClient:
    """What Archway says of itself wherever it becomes a client."""

    redirect_uri: str
    """Where people come back to; what an admin enters in a provider's form."""
    document_url: str = ""
    """Where Archway serves the document about itself; '' where others cannot read one (no public https address)."""
    home: str = ""
    """Archway's own address, for the consent page of a provider."""


def how_to_register(server: AuthorizationServer, settings: OAuthCredential, ours: OurClient) -> How:
    """Which way goes at this server; raises AskTheAdmin where none does, or the one that the entry names does not."""
    if settings.client_id:
        return "own"
    document = bool(ours.document_url) and server.takes_documents and _takes_public(server)
    ways: dict[How, bool] = {"document": document, "dynamic": bool(server.registration_endpoint)}
    for how, goes in ways.items():
        if goes and settings.registration in {"auto", how}:
            return how
    raise AskTheAdmin(server.issuer, ours.redirect_uri, "does not let Archway register itself")


def own_client(
    server: AuthorizationServer, settings: OAuthCredential | IdentityAssertion, client_secret: str
) -> UpstreamClient:
    """The client that an admin registered by hand, with the secret that they gave; '' for one that has none."""
    chosen = settings.client_authentication or ("none" if not client_secret else _secret_method(server))
    return UpstreamClient(
        issuer=server.issuer, client_id=settings.client_id, client_secret=client_secret, authentication=chosen
    )


def document_client(server: AuthorizationServer, ours: OurClient) -> UpstreamClient:
    """The client whose name is the address of our document; it is the same one at every server."""
    return UpstreamClient(
        issuer=server.issuer,
        client_id=ours.document_url,
        how="document",
    )


def client_document(ours: OurClient) -> dict[str, Any]:
    """The document about Archway, which it serves at `document_url` for authorization servers to read."""
    return {"client_id": ours.document_url, **_told(ours), "token_endpoint_auth_method": "none"}


async def register(
    asker: Asker, server: AuthorizationServer, ours: OurClient, scopes: Sequence[str] = ()
) -> UpstreamClient:
    """A client that the server makes for us now (RFC 7591). `scopes`: what will be asked for, which some servers want
    to hear when a client registers. Raises AskTheAdmin where it refuses or gives what we cannot use, ProviderAway
    where it cannot be asked.
    """
    asked = _asked_method(server, ours)
    answer = await _posted(asker, server, ours, asked, scopes)
    if scopes and is_refusal(answer.status):
        # A client need not say its scopes. Some servers hold it to what it said, others know only their own.
        answer = await _posted(asker, server, ours, asked, ())
    found = answer.json()
    if answer.status in {200, 201} and found is not None:
        return _client_in(found, server, ours, asked)
    if is_refusal(answer.status) or answer.status in {404, 405}:
        said = f"{answer.status} {error_word(found)}".strip()
        raise AskTheAdmin(server.issuer, ours.redirect_uri, f"refused to register Archway ({said})")
    raise unusable(server.registration_endpoint, answer)


async def _posted(
    asker: Asker, server: AuthorizationServer, ours: OurClient, asked: Method, scopes: Sequence[str]
) -> Answer:
    told = {**_told(ours), "token_endpoint_auth_method": asked, **({"scope": " ".join(scopes)} if scopes else {})}
    return await asker.ask(
        "POST", server.registration_endpoint, {"Content-Type": "application/json"}, msgspec.json.encode(told)
    )


def _told(ours: OurClient) -> dict[str, Any]:
    return {
        "client_name": NAME,
        "redirect_uris": [ours.redirect_uri],
        "grant_types": list(_GRANTS),
        "response_types": ["code"],
        "application_type": "web",
        **({"client_uri": ours.home} if ours.home else {}),
    }


def _client_in(
    found: Mapping[str, Any], server: AuthorizationServer, ours: OurClient, asked: Method
) -> UpstreamClient:
    """The client in an answer. `null` and '' say as much as a member that is not there."""
    said = {name: value for name, value in found.items() if value not in (None, "")}
    client_id, secret = said.get("client_id"), said.get("client_secret", "")
    if not _is_text(client_id) or not (secret == "" or _is_text(secret)):
        raise AskTheAdmin(server.issuer, ours.redirect_uri, "registered Archway without a client_id that can be used")
    redirects = said.get("redirect_uris", [])
    if redirects and (not isinstance(redirects, list) or ours.redirect_uri not in redirects):
        raise AskTheAdmin(server.issuer, ours.redirect_uri, "registered Archway with another callback URL")
    method = said.get("token_endpoint_auth_method", _unsaid_method(server, asked, secret))
    if method not in METHODS or method == "private_key_jwt":
        raise AskTheAdmin(
            server.issuer, ours.redirect_uri, "registered Archway with a way to prove itself that it has not"
        )
    if method in {"client_secret_basic", "client_secret_post"} and not secret:
        raise AskTheAdmin(server.issuer, ours.redirect_uri, "registered Archway without the secret that it asks for")
    ends = said.get("client_secret_expires_at", 0)
    return UpstreamClient(
        issuer=server.issuer,
        client_id=str(client_id),
        client_secret=secret,
        authentication=method,
        how="dynamic",
        secret_expires_at=ends if type(ends) is int and 0 < ends < _LATEST else 0,
    )


def _unsaid_method(server: AuthorizationServer, asked: Method, secret: str) -> Method:
    """How we prove ourselves where the answer does not say: as we asked, as far as we can."""
    if not secret:
        return "none"
    return asked if asked != "none" else _secret_method(server)


def _asked_method(server: AuthorizationServer, ours: OurClient) -> Method:
    """What we ask for: a secret where there can be one, since we can keep it; without a list RFC 8414's default."""
    listed = server.authentication_methods
    if not listed or not _WITH_SECRET.isdisjoint(listed):
        return _secret_method(server)
    if "none" in listed:
        return "none"
    raise AskTheAdmin(server.issuer, ours.redirect_uri, "takes no way for a client to prove itself that Archway has")


def _secret_method(server: AuthorizationServer) -> Method:
    """How a client with a secret proves itself: as the server lists first, which is what it has tried most."""
    for method in server.authentication_methods:
        if method in _WITH_SECRET:
            return "client_secret_post" if method == "client_secret_post" else "client_secret_basic"
    return "client_secret_basic"


def _takes_public(server: AuthorizationServer) -> bool:
    """Whether the server takes a client that proves itself by nothing, as our document says of us."""
    return not server.authentication_methods or "none" in server.authentication_methods


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isascii() and value.isprintable()
