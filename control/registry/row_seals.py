"""What rows of the registry keep secret: closed where an entry or an installation is saved, opened where it is used.

Each value is bound to its row's identifier, so that a sealed value that is copied to another row opens for nobody.
Called by `control/changes/`, `control/credentials/filling.py`, discovery and the resolve calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from control.registry.entry import Entry
from control.registry.installation import Installation
from core.keys import KeyRing
from core.sealing import Sealer

FIXED_HEADERS_PURPOSE = "fixed-headers"
"""An entry's fixed headers: a sealed JSON object of header to value, bound to the entry's identifier."""
SECRET_VALUES_PURPOSE = "installation"  # noqa: S105  # the name of a purpose
"""An installation's secret answers: a sealed JSON object of name to value, bound to the installation's identifier."""
CLIENT_SECRET_PURPOSE = "identity-provider"  # noqa: S105  # the name of a purpose
"""What Archway shows an identity provider that it is the registered client, bound to the provider's identifier."""
PROVIDER_TOKENS_PURPOSE = "provider-tokens"
"""What an identity provider gave at a person's own sign-in: sealed JSON, bound to their identity's identifier."""

COOKIE_PURPOSE = "browser-cookie"
"""What a browser keeps for us for some minutes and must not read, bound to the cookie's name."""

_pairs = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class OpenedSecrets:
    """What was sealed in the two rows; never shown."""

    fixed_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


class RowSeals:
    """Seals and opens under `ARCHWAY_SECRET_KEY`. Nothing to seal gives None, which the row keeps as NULL."""

    def __init__(self, ring: KeyRing) -> None:
        self._fixed = Sealer(ring, FIXED_HEADERS_PURPOSE)
        self._values = Sealer(ring, SECRET_VALUES_PURPOSE)
        self._client_secrets = Sealer(ring, CLIENT_SECRET_PURPOSE)
        self._provider_tokens = Sealer(ring, PROVIDER_TOKENS_PURPOSE)
        self._cookies = Sealer(ring, COOKIE_PURPOSE)

    def fixed_headers(self, entry_id: str, headers: Mapping[str, str]) -> bytes | None:
        """An entry's fixed headers as its row keeps them."""
        return self._fixed.seal(msgspec.json.encode(headers), entry_id) if headers else None

    def secret_values(self, installation_id: str, values: Mapping[str, str]) -> bytes | None:
        """An installation's secret answers, the credential among them, as its row keeps them."""
        return self._values.seal(msgspec.json.encode(values), installation_id) if values else None

    def open_fixed_headers(self, entry_id: str, sealed: bytes | None) -> dict[str, str]:
        """An entry's fixed headers; raises SealBroken."""
        return _opened(self._fixed, sealed, entry_id)

    def open_secret_values(self, installation_id: str, sealed: bytes | None) -> dict[str, str]:
        """An installation's secret answers, the credential among them; raises SealBroken."""
        return _opened(self._values, sealed, installation_id)

    def client_secret(self, provider_id: str, secret: str) -> bytes | None:
        """A client's secret at an identity provider as the provider's row keeps it."""
        return self._client_secrets.seal(secret.encode(), provider_id) if secret else None

    def open_client_secret(self, provider_id: str, sealed: bytes | None) -> str:
        """The client's secret, '' for none; raises SealBroken."""
        return self._client_secrets.open(sealed, provider_id).decode() if sealed else ""

    def provider_tokens(self, identity_id: str, tokens: bytes) -> bytes:
        """A provider's tokens as the identity's row keeps them."""
        return self._provider_tokens.seal(tokens, identity_id)

    def open_provider_tokens(self, identity_id: str, sealed: bytes) -> bytes:
        """A provider's tokens; raises SealBroken."""
        return self._provider_tokens.open(sealed, identity_id)

    def browser_cookie(self, name: str, plain: bytes) -> bytes:
        """What a browser keeps for us."""
        return self._cookies.seal(plain, name)

    def open_browser_cookie(self, name: str, sealed: bytes) -> bytes:
        """What a browser brought back; raises SealBroken."""
        return self._cookies.open(sealed, name)

    def open(self, entry: Entry, installation: Installation) -> OpenedSecrets:
        """The secrets of both; raises SealBroken where one was moved, changed, or sealed with a key that is gone."""
        return OpenedSecrets(
            self.open_fixed_headers(entry.id, entry.fixed_headers),
            self.open_secret_values(installation.id, installation.secret_values),
        )


def _opened(sealer: Sealer, sealed: bytes | None, owner: str) -> dict[str, str]:
    return _pairs.decode(sealer.open(sealed, owner)) if sealed else {}
