"""What an entry says of its provider, checked: addresses, origins, scopes, and what tokens are for.

Called by the kinds whose tokens a provider gives. Leaves out what the provider's own metadata says, which is checked
where it is read (`control/credentials/upstream_oauth/`).
"""

from collections.abc import Sequence

from control.registry.broken_rule import BrokenRule
from control.registry.credential import OMIT
from control.registry.oauth_scopes import is_scope
from control.registry.origin import origin_of
from control.registry.provider_rules import may_be_plain
from core.egress.addresses import ANYWHERE, AddressPolicy, UrlRefused, check_url


def checked(url: str, field: str, policy: AddressPolicy) -> str:
    """The address of an endpoint in its one form, '' for none; BrokenRule for one that nothing may be sent to."""
    if not url:
        return ""
    normal = _url(url, field, policy)
    if normal.startswith("http://") and not may_be_plain(normal):
        raise BrokenRule(field, "must begin with https://; only on this machine may it be http")
    return normal


def check_issuer(issuer: str, field: str, policy: AddressPolicy) -> None:
    """Refuse what is no issuer: a URL with a query or a fragment (RFC 8414 section 2). It stays to the letter."""
    if not issuer:
        return
    if "?" in issuer or "#" in issuer:
        raise BrokenRule(field, "must have no '?' and no '#'")
    checked(issuer, field, policy)


def checked_resource(resource: str, field: str) -> str:
    """What tokens are asked for, '' or `omit` among it; a URL without a fragment (RFC 8707 section 2)."""
    if resource in {"", OMIT}:
        return resource
    if "#" in resource or ":" not in resource or not resource.isprintable() or " " in resource:
        raise BrokenRule(field, f"must be a URL without '#', or {OMIT!r}, or empty for the server's own URL")
    return resource


def checked_origins(origins: Sequence[str], field: str) -> tuple[str, ...]:
    """Origins in their one form, each once."""
    found: dict[str, None] = {}
    for number, one in enumerate(origins):
        where = f"{field}[{number}]"
        normal = _url(one, where, ANYWHERE)
        if origin_of(normal) != normal.rstrip("/"):
            raise BrokenRule(where, "must be an origin alone, such as https://oauth2.googleapis.com")
        if normal.startswith("http://") and not may_be_plain(normal):
            raise BrokenRule(where, "must begin with https://; only on this machine may it be http")
        found[origin_of(normal)] = None
    return tuple(found)


def check_audience(audience: str, field: str) -> None:
    """Refuse what no provider calls a server: what has spaces, or characters that nobody sees."""
    if not audience.isprintable() or " " in audience:
        raise BrokenRule(field, "must be printable characters without spaces")


def check_scopes(scopes: Sequence[str], field: str) -> None:
    """Refuse what is no scope (RFC 6749 section 3.3)."""
    for number, one in enumerate(scopes):
        if not is_scope(one):
            raise BrokenRule(f"{field}[{number}]", "must be one scope: visible ASCII without spaces, '\"' and '\\'")


def _url(url: str, field: str, policy: AddressPolicy) -> str:
    try:
        return check_url(url, policy, purpose=field)
    except UrlRefused as refused:
        raise BrokenRule(field, str(refused).removeprefix(f"{field}: ")) from None
