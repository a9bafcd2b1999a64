"""What a client says of itself (RFC 7591 section 2), made into what we keep. Pure.

Called where a client registers, and with its own document. Unknown members are passed over, as is each redirect that
cannot be allowed, as long as one is left: real clients send some that only other servers know.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from control.oauth.errors import OAuthRefused
from control.registry.oauth_client import ASSERTION_ALGORITHMS, AUTH_METHODS, AuthMethod, ClientFields, shown_name
from control.registry.redirects import usable
from core.egress.addresses import ANYWHERE, UrlRefused, check_url
from core.jwk import MOST_KEYS, usable_keys

_METHODS: Final[Mapping[str, AuthMethod]] = MappingProxyType({method: method for method in AUTH_METHODS})


def described(metadata: Mapping[str, Any], *, unnamed: str) -> ClientFields:
    """The fields of a client that acts for people; raises OAuthRefused. `unnamed`: for one without a name."""
    method = _METHODS.get(str(metadata.get("token_endpoint_auth_method", "none")))
    if method is None:
        raise invalid_metadata("This way of authenticating is not supported; the metadata lists those that are.")
    redirects = metadata.get("redirect_uris")
    if not isinstance(redirects, list) or not redirects or not all(isinstance(uri, str) for uri in redirects):
        raise OAuthRefused("invalid_redirect_uri", "redirect_uris must be a list of at least one URI.")
    kept = usable(redirects)
    if not kept:
        raise OAuthRefused(
            "invalid_redirect_uri",
            "None of the redirect_uris can be allowed: use https, http on this machine, or a known client's scheme.",
            asked=", ".join(redirects),
            cure="Have the client register an https redirect, or http://localhost or http://127.0.0.1 with any port.",
        )
    jwks, jwks_uri = _keys_of(metadata, method)
    grant_types = metadata.get("grant_types")
    return ClientFields(
        name=shown_name(metadata.get("client_name"), unnamed),
        redirect_uris=kept,
        auth_method=method,
        refreshes=not isinstance(grant_types, list) or "refresh_token" in grant_types,
        jwks=jwks,
        jwks_uri=jwks_uri,
    )


def invalid_metadata(sentence: str) -> OAuthRefused:
    """What a client says of itself cannot be used."""
    return OAuthRefused("invalid_client_metadata", sentence)


def _keys_of(metadata: Mapping[str, Any], method: AuthMethod) -> tuple[dict[str, Any], str]:
    jwks, uri = metadata.get("jwks"), metadata.get("jwks_uri")
    if method != "private_key_jwt":
        _refuse_private(jwks)
        return {}, ""
    if (jwks is None) == (uri is None):
        raise invalid_metadata("private_key_jwt needs jwks or jwks_uri, one of the two.")
    if uri is not None:
        if not isinstance(uri, str) or not _is_https_url(uri):
            raise invalid_metadata("jwks_uri must be an https URL.")
        return {}, uri
    _refuse_private(jwks)
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    found = usable_keys(keys[:MOST_KEYS], ASSERTION_ALGORITHMS).keys if isinstance(keys, list) else ()
    if not found:
        raise invalid_metadata("jwks holds no public key that an assertion can be checked with.")
    return {"keys": list(found)}, ""


def _is_https_url(uri: str) -> bool:
    """Whether it is one in form; whether it may be asked is judged when it is."""
    try:
        return check_url(uri, ANYWHERE, purpose="jwks_uri").startswith("https://")
    except UrlRefused:
        return False


def _refuse_private(jwks: object) -> None:
    """A client that publishes a private key proves nothing with it, and should hear of it."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    for key in keys if isinstance(keys, list) else ():
        if isinstance(key, dict) and {"d", "k", "p", "q"} & set(key):
            raise invalid_metadata("jwks holds a private or shared key; publish public ones only.")
