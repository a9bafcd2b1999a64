"""An authorization server as its metadata describes it (RFC 8414, OpenID Connect Discovery), judged before it is
used.

Called by `discovery.py`. The document must be of the very issuer that it was asked for; its endpoints must be https
(http on this machine alone). Endpoints at hosts that are foreign to the issuer are told, and nothing is sent there
before an admin has approved them: what an operator trusts a server with is not inherited by whomever it names.
Leaves out how the issuer was found, and who asks.

`code_challenge_methods_supported` may be absent: MCP wants a client to refuse then, Entra and others leave it out and
take PKCE all the same, and the official SDKs go on. So do we, S256 is always sent; a server that names methods and
not S256 is refused.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from control.credentials.upstream_oauth.challenge import scopes_in
from control.credentials.upstream_oauth.unfit import NotApproved, Unfit
from control.providers.endpoints import EndpointUnfit, checked_endpoint
from control.registry.credential import ENDPOINTS
from control.registry.origin import origin_of
from core.egress.addresses import AddressPolicy

OAUTH: Final = "/.well-known/oauth-authorization-server"
OPENID: Final = "/.well-known/openid-configuration"
ADDRESSES: Final = (*ENDPOINTS, "userinfo_endpoint")
"""Members of its metadata that name an address which we, or a person's browser, go to."""
_LONGEST_ISSUER: Final = 2_048
_MOST_WORDS: Final = 50


class AuthorizationServer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An authorization server whose endpoints were checked. An endpoint that it has not is ''."""

    issuer: str
    """Its name, to the letter: what `iss` of its answers must repeat, and what clients and tokens are kept by."""
    authorization_endpoint: str = ""
    """'' only where nobody signs in, as for client credentials."""
    token_endpoint: str
    registration_endpoint: str = ""
    revocation_endpoint: str = ""
    userinfo_endpoint: str = ""
    scopes_supported: tuple[str, ...] = ()
    authentication_methods: tuple[str, ...] = ()
    """How clients may prove themselves at its token endpoint, of what it lists; () where it does not say."""
    signing_algorithms: tuple[str, ...] = ()
    """What a client's assertion may be signed with; () where it does not say."""
    prompts: tuple[str, ...] = ()
    """What its page can be asked to show (`prompt` of OpenID Connect); () where it does not say."""
    names_issuer: bool = False
    """Whether its answers to the browser say who it is (RFC 9207): then one that does not is refused."""
    takes_documents: bool = False
    """Whether a client may be the URL of a document about itself (CIMD)."""
    says_s256: bool = False
    """Whether it says that it takes PKCE; where it does not say, PKCE is sent all the same."""
    is_assumed: bool = False
    """Whether it has no metadata, and its endpoints are where 2025-03-26 says that they are."""
    foreign_hosts: tuple[str, ...] = ()
    """Origins of its endpoints that are neither the issuer's own nor typed by an admin."""

    def unapproved_hosts(self, approved: tuple[str, ...]) -> tuple[str, ...]:
        """Those foreign hosts that no admin has approved: nothing is sent there."""
        return tuple(host for host in self.foreign_hosts if host not in approved)

    def refuse_unapproved(self, approved: tuple[str, ...]) -> None:
        """Raise NotApproved where an endpoint is at a foreign host that nobody has approved."""
        if hosts := self.unapproved_hosts(approved):
            raise NotApproved(self.issuer, hosts)


def metadata_urls(issuer: str) -> list[str]:
    """Where an issuer's metadata is asked, in this order (MCP 2026-07-28, RFC 8414 sections 3.1 and 5)."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    if not path:
        return [f"{origin}{OAUTH}", f"{origin}{OPENID}"]
    return [f"{origin}{OAUTH}{path}", f"{origin}{OPENID}{path}", f"{origin}{path}{OPENID}"]


def check_issuer(issuer: str, policy: AddressPolicy) -> None:
    """Raise Unfit for what is no issuer: another scheme than https (http on this machine), a query, a fragment, or an
    address that the operator did not open. It is used to the letter, so it is judged and not changed.
    """
    if len(issuer) > _LONGEST_ISSUER or "?" in issuer or "#" in issuer:
        raise Unfit("its authorization server has a name that is none: too long, or with '?' or '#'")
    try:
        checked_endpoint(issuer, "issuer", issuer, policy)
    except EndpointUnfit as unfit:
        raise Unfit(f"its authorization server cannot be used: {unfit}") from None


def server_in(
    found: Mapping[str, Any],
    issuer: str,
    policy: AddressPolicy,
    typed: Mapping[str, str],
    *,
    needs_browser: bool = True,
) -> AuthorizationServer:
    """The server that a document describes; raises Unfit for what must not be used.

    `typed`: endpoints that an admin gave by name, which win over what the document says. `needs_browser`: whether
    people are sent there, so that it needs an `authorization_endpoint`.
    """
    if found.get("issuer") != issuer:  # RFC 8414 section 3.3: identical, byte for byte
        said = found.get("issuer")
        other = f": it says {said[:200]!r}" if isinstance(said, str) and said.isprintable() else ""
        raise Unfit(
            f"what is at {issuer} is the metadata of another issuer{other}; if that is right, give it to the entry "
            "as its `issuer`"
        )
    methods = words(found, "code_challenge_methods_supported")
    if needs_browser and methods and "S256" not in methods:
        raise Unfit(f"{issuer} does not take PKCE with S256, without which nobody is sent there")
    endpoints = _endpoints(found, issuer, policy, typed, needs_browser=needs_browser)
    return _with(
        endpoints,
        issuer=issuer,
        scopes_supported=scopes_in(found.get("scopes_supported")),
        authentication_methods=words(found, "token_endpoint_auth_methods_supported"),
        signing_algorithms=words(found, "token_endpoint_auth_signing_alg_values_supported"),
        prompts=words(found, "prompt_values_supported"),
        names_issuer=found.get("authorization_response_iss_parameter_supported") is True,
        takes_documents=found.get("client_id_metadata_document_supported") is True,
        says_s256="S256" in methods,
        foreign_hosts=foreign_hosts(issuer, endpoints, typed),
    )


def assumed_server(origin: str, policy: AddressPolicy, typed: Mapping[str, str]) -> AuthorizationServer:
    """The server at an origin that says nothing of itself: endpoints where 2025-03-26 has them. Raises Unfit."""
    check_issuer(origin, policy)
    usual = {
        "authorization_endpoint": f"{origin}/authorize",
        "token_endpoint": f"{origin}/token",
        "registration_endpoint": f"{origin}/register",
    }
    return _with(_endpoints(usual, origin, policy, typed), issuer=origin, is_assumed=True)


def typed_server(issuer: str, policy: AddressPolicy, typed: Mapping[str, str]) -> AuthorizationServer:
    """The server of which an admin gave all that is needed; it is asked for nothing. Raises Unfit."""
    check_issuer(issuer, policy)
    return _with(_endpoints({}, issuer, policy, typed, needs_browser=False), issuer=issuer)


def foreign_hosts(issuer: str, endpoints: Mapping[str, str], typed: Mapping[str, str]) -> tuple[str, ...]:
    """Origins of endpoints that are not the issuer's own. One that an admin typed is approved by that."""
    own = origin_of(issuer)
    found = {origin_of(url) for name, url in endpoints.items() if url and not typed.get(name)}
    return tuple(sorted(found - {own}))


def words(found: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of short words in a document; () where it has none."""
    said = found.get(name)
    return tuple(one for one in said[:_MOST_WORDS] if isinstance(one, str)) if isinstance(said, list) else ()


def _with(endpoints: Mapping[str, str], **told: Any) -> AuthorizationServer:
    """The server with these endpoints, which are members of it by name."""
    members: dict[str, Any] = {**endpoints, **told}
    return AuthorizationServer(**members)


def _endpoints(
    found: Mapping[str, Any],
    issuer: str,
    policy: AddressPolicy,
    typed: Mapping[str, str],
    *,
    needs_browser: bool = True,
) -> dict[str, str]:
    needed = {"token_endpoint"} | ({"authorization_endpoint"} if needs_browser else set())
    merged = {name: typed.get(name) or found.get(name) for name in ADDRESSES}
    try:
        return {
            # What an admin typed is theirs to answer for: it may be plain on this machine whatever the issuer is.
            name: checked_endpoint(url, name, str(url) if typed.get(name) else issuer, policy)
            for name, url in merged.items()
            if url or name in needed
        }
    except EndpointUnfit as unfit:
        raise Unfit(f"the metadata of {issuer} must not be used: {unfit}") from None
