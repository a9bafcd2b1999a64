"""A provider's token endpoint: a code, or a refresh token, for the provider's tokens (OpenID Connect Core 3.1.3, 12).

Called at a sign-in and when a provider is asked whether it still knows a person. Leaves out what the tokens say:
`id_token.py` checks that. What is kept of them is sealed by whoever keeps it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from control.providers.asking import Asker, ProviderAway
from control.providers.client_secret import basic
from control.registry.identity_provider import Endpoints, IdentityProvider

_LONGEST: Final = 16 << 10
"""Of one token."""
UNSAID_S: Final = 3_600.0
"""How long an access token is kept of which the provider says no end, and which it does not refresh."""


class ProviderTokens(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a provider gave for a person: kept sealed, refreshed, and shown to nobody."""

    access_token: str = ""
    id_token: str = ""
    refresh_token: str = ""
    """'' where the provider gave none: then it cannot be asked about the person later."""
    expires_at: float = 0.0
    """When the access token ends, in Unix seconds; 0: not said."""
    scope: str = ""
    obtained_at: float = 0.0
    """When the provider gave the access token, in Unix seconds."""
    id_token_is_older: bool = False
    """The provider gave no other with this access token: some give one at a sign-in alone."""

    @property
    def ends_for_good(self) -> datetime | None:
        """When nothing of it is of use any more; None where it can be refreshed."""
        if self.refresh_token:
            return None
        return datetime.fromtimestamp(self.expires_at or self.obtained_at + UNSAID_S, UTC)

    def __repr__(self) -> str:
        return "ProviderTokens()"

    def packed(self) -> bytes:
        """As it is sealed."""
        return msgspec.json.encode(self)


_decoder = msgspec.json.Decoder(ProviderTokens)


def unpacked(plain: bytes) -> ProviderTokens:
    """What `packed` made."""
    return _decoder.decode(plain)


class Client:
    """Archway as a provider knows it: a registered client, with its secret."""

    def __init__(self, asker: Asker, provider: IdentityProvider, endpoints: Endpoints, secret: str) -> None:
        self._asker, self._provider, self._endpoints, self._secret = asker, provider, endpoints, secret

    @property
    def has_userinfo(self) -> bool:
        """Whether the provider tells more of a person than stands in their `id_token`."""
        return bool(self._endpoints.userinfo_endpoint)

    async def redeem(self, code: str, redirect_uri: str, verifier: str, now: float) -> ProviderTokens:
        """The tokens of a code that came back with the browser; raises ProviderRefused, ProviderAway."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return tokens_in(await self._posted(form), now)

    async def refresh(self, before: ProviderTokens, now: float) -> ProviderTokens:
        """The next tokens, as the provider gives them: `kept_beside` says which of those before stay. Raises
        ProviderRefused, ProviderAway.
        """
        form = {"grant_type": "refresh_token", "refresh_token": before.refresh_token}
        return tokens_in(await self._posted(form), now)

    async def userinfo(self, access_token: str) -> dict[str, Any]:
        """What the provider tells of the person beside the `id_token`; raises ProviderAway."""
        return await self._asker.get(self._endpoints.userinfo_endpoint, {"Authorization": f"Bearer {access_token}"})

    async def _posted(self, form: Mapping[str, str]) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        fields = dict(form)
        match self._provider.client_authentication:
            case "client_secret_basic":
                headers["Authorization"] = basic(self._provider.client_id, self._secret)
            case "client_secret_post":
                fields |= {"client_id": self._provider.client_id, "client_secret": self._secret}
            case "none":
                fields["client_id"] = self._provider.client_id
        return await self._asker.post(self._endpoints.token_endpoint, urlencode(fields).encode(), headers)


def kept_beside(before: ProviderTokens, given: ProviderTokens) -> ProviderTokens:
    """What is kept after a refresh: what was given, and those before that it gave no other of."""
    return msgspec.structs.replace(
        given,
        refresh_token=given.refresh_token or before.refresh_token,
        id_token=given.id_token or before.id_token,
        id_token_is_older=not given.id_token,
        scope=given.scope or before.scope,
    )


def tokens_in(answer: Mapping[str, Any], now: float) -> ProviderTokens:
    """The tokens in an answer; raises ProviderAway for one that has no access token, or one of another kind."""
    texts = {name: answer.get(name, "") for name in ("access_token", "id_token", "refresh_token", "scope")}
    if not all(isinstance(text, str) and len(text) <= _LONGEST and text.isprintable() for text in texts.values()):
        raise ProviderAway("what its token endpoint answered cannot be read")
    if not texts["access_token"] or str(answer.get("token_type", "")).lower() != "bearer":
        raise ProviderAway("its token endpoint answered without a bearer token")
    seconds = answer.get("expires_in", 0)
    seconds = int(seconds) if isinstance(seconds, str) and seconds.isdigit() else seconds
    known = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 1 << 31
    return ProviderTokens(**texts, expires_at=now + seconds if known else 0.0, obtained_at=now)
