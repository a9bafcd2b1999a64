"""Whose account it is at the provider: a name for people, and the provider's own word for the same person.

Called when tokens came from a sign-in, before they are kept: the person is shown whose account it is. In this order:
the `id_token`, userinfo, the address that the entry names for it. What a provider says is bounded and made visible;
nothing is decided by a name. Leaves out what happens when it is somebody else than before: whoever calls is told.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.token_answer import Granted
from control.providers.asking import Asker, ProviderAway
from control.providers.claim import claim
from control.registry.account import NewAccount
from control.registry.credential import OAuthCredential
from control.registry.provider_rules import may_be_plain

LONGEST_NAME: Final = 128
_LONGEST_SUBJECT: Final = 255
_NAMES: Final = ("email", "preferred_username")
"""Claims that people know an account by, the best first."""


@dataclass(frozen=True, slots=True)
class AccountName:
    """Whose account at a provider some tokens are of, as the provider tells it."""

    name: str
    """For people; '' where the provider does not tell."""
    subject: str
    """The provider's own word for the person (`sub`), the same at each sign-in; '' where it does not tell."""

    def is_another(self, before: NewAccount) -> bool:
        """Whether it is certainly another account than this one of the same provider: by the provider's own word for
        the person where both have it, else by the name.
        """
        if self.subject and before.subject:
            return self.subject != before.subject
        return bool(self.name and before.account_name) and self.name != before.account_name


async def account_of(
    asker: Asker, server: AuthorizationServer, settings: OAuthCredential, client_id: str, granted: Granted, now: float
) -> AccountName:
    """Whose account these tokens are of. A provider that does not answer, or not so that it can be used, tells
    nothing; no sign-in fails by it.
    """
    claims = id_claims(granted.id_token, server, client_id, now)
    subject = _subject(claims)
    name = _first(claims)
    if not name and server.userinfo_endpoint:
        told = await _told(asker, server.userinfo_endpoint, granted.access_token)
        if not subject or _subject(told) == subject:  # OpenID Connect Core 5.3.2: else it is about somebody else
            subject, name = _subject(told), _first(told)
    if not name and settings.account_endpoint:
        told = await _told(asker, settings.account_endpoint, granted.access_token)
        name = shown(claim(told, settings.account_claim))
    return AccountName(name or shown(subject), subject)


def id_claims(id_token: str, server: AuthorizationServer, client_id: str, now: float) -> Mapping[str, Any]:
    """The claims of an `id_token` that came straight from the token endpoint; {} for one that is not for us.

    Its signature is not looked at: it came over TLS from where we asked (OpenID Connect Core 3.1.3.7, 6). An endpoint
    on this machine may be plain.
    """
    secure = server.token_endpoint.startswith("https://") or may_be_plain(server.token_endpoint)
    claims = _payload(id_token) if secure else {}
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires = claims.get("exp")
    fits = claims.get("iss") == server.issuer and client_id in audiences and claims.get("azp", client_id) == client_id
    return claims if fits and isinstance(expires, int | float) and expires > now - 60 else {}


def shown(value: object) -> str:
    """A provider's word as people may see it: one line of visible characters, of bounded length; '' for no word."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value[:LONGEST_NAME]
    ).strip()


async def _told(asker: Asker, endpoint: str, access_token: str) -> Mapping[str, Any]:
    try:
        return await asker.get(endpoint, {"Authorization": f"Bearer {access_token}"})
    except ProviderAway:
        return {}


def _first(claims: Mapping[str, Any]) -> str:
    return next((name for one in _NAMES if (name := shown(claims.get(one)))), "")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    fits = isinstance(subject, str) and len(subject) <= _LONGEST_SUBJECT and subject.isprintable()
    return str(subject) if fits else ""


def _payload(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        raw = base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
