"""What rows of the registry keep secret: closed where an entry or an installation is saved, opened where it is used.

Each value is bound to its row's identifier, so that a sealed value that is copied to another row opens for nobody.
Called by `control/changes/`, `control/credentials/filling.py`, discovery and the resolve calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from control.registry.account import Account, AccountTokens, NewAccount, bound_words
from control.registry.credential import ACCESS_TOKEN
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.keys import KeyRing
from core.sealing import Sealer

FIXED_HEADERS_PURPOSE = "fixed-headers"
"""An entry's fixed headers: a sealed JSON object of header to value, bound to the entry's identifier."""
RUN_SECRETS_PURPOSE = "run-secrets"  # the name of a purpose
"""An entry's own secrets for a server that we run: sealed as the above, variable or file to value."""
PULL_SECRET_PURPOSE = "pull-secret"  # noqa: S105  # the name of a purpose
"""The password at an image registry, bound to its row, and to the registry and the user that it is for."""
SECRET_VALUES_PURPOSE = "installation"  # noqa: S105  # the name of a purpose
"""An installation's secret answers: a sealed JSON object of name to value, bound to the installation's identifier."""
CLIENT_SECRET_PURPOSE = "identity-provider"  # noqa: S105  # the name of a purpose
"""What Archway shows an identity provider that it is the registered client, bound to the provider's identifier."""
PROVIDER_TOKENS_PURPOSE = "provider-tokens"
"""What an identity provider gave at a person's own sign-in: sealed JSON, bound to their identity's identifier."""
PROVIDER_CLAIMS_PURPOSE = "provider-claims"
"""What it said of them then, which they alone are shown: sealed JSON, bound to the same."""

ENTRY_CLIENT_PURPOSE = "entry-client"
"""The secret of a client that was registered at a provider by hand, bound to the entry and to where it may go."""
UPSTREAM_CLIENT_PURPOSE = "upstream-client"
"""The secret of a client that Archway registered itself, bound to its row and its issuer."""
ACCOUNT_PURPOSE = "account"
"""What a provider gave to an installation: sealed JSON, bound to the installation and to where it may go."""
SIGN_IN_PURPOSE = "account-sign-in"
"""What was begun at a provider and is not ended yet, and what came back, bound to the row and to which of the two."""
BRIDGE_TOKEN_PURPOSE = "bridge-token"  # noqa: S105  # the name of a purpose
"""What calls to an installation's bridge carry, bound to the installation's identifier."""
COOKIE_PURPOSE = "browser-cookie"
"""What a browser keeps for us for some minutes and must not read, bound to the cookie's name."""

_pairs = msgspec.json.Decoder(dict[str, str])
_tokens = msgspec.json.Decoder(AccountTokens)


@dataclass(frozen=True, slots=True)
class OpenedSecrets:
    """What was sealed in the two rows; never shown."""

    fixed_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    bridge_token: str = field(default="", repr=False)
    """What calls to the bridge of a server that we run carry; '' before it was first run."""
    run_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The entry's own for a server that we run: variable or file to value."""

    @property
    def all(self) -> frozenset[str]:
        """Each value, to be looked for in texts."""
        rows = (self.fixed_headers, self.values, self.run_secrets)
        return frozenset({*(value for row in rows for value in row.values()), self.bridge_token} - {""})


class RowSeals:
    """Seals and opens under `ARCHWAY_SECRET_KEY`. Nothing to seal gives None, which the row keeps as NULL."""

    def __init__(self, ring: KeyRing) -> None:
        self._fixed = Sealer(ring, FIXED_HEADERS_PURPOSE)
        self._values = Sealer(ring, SECRET_VALUES_PURPOSE)
        self._run_secrets = Sealer(ring, RUN_SECRETS_PURPOSE)
        self._pull_secrets = Sealer(ring, PULL_SECRET_PURPOSE)
        self._client_secrets = Sealer(ring, CLIENT_SECRET_PURPOSE)
        self._provider_tokens = Sealer(ring, PROVIDER_TOKENS_PURPOSE)
        self._provider_claims = Sealer(ring, PROVIDER_CLAIMS_PURPOSE)
        self._cookies = Sealer(ring, COOKIE_PURPOSE)
        self._entry_clients = Sealer(ring, ENTRY_CLIENT_PURPOSE)
        self._upstream_clients = Sealer(ring, UPSTREAM_CLIENT_PURPOSE)
        self._accounts = Sealer(ring, ACCOUNT_PURPOSE)
        self._sign_ins = Sealer(ring, SIGN_IN_PURPOSE)
        self._bridge_tokens = Sealer(ring, BRIDGE_TOKEN_PURPOSE)

    def fixed_headers(self, entry_id: str, headers: Mapping[str, str]) -> bytes | None:
        """An entry's fixed headers as its row keeps them."""
        return self._fixed.seal(msgspec.json.encode(headers), entry_id) if headers else None

    def run_secrets(self, entry_id: str, secrets: Mapping[str, str]) -> bytes | None:
        """An entry's own secrets for its server as its row keeps them."""
        return self._run_secrets.seal(msgspec.json.encode(secrets), entry_id) if secrets else None

    def open_run_secrets(self, entry_id: str, sealed: bytes | None) -> dict[str, str]:
        """An entry's own secrets for its server; raises SealBroken."""
        return _opened(self._run_secrets, sealed, entry_id)

    def pull_password(self, pull_secret_id: str, registry: str, username: str, password: str) -> bytes:
        """A password at an image registry as its row keeps it: for this registry and this user alone."""
        return self._pull_secrets.seal(password.encode(), pull_secret_id, registry, username)

    def open_pull_password(self, pull_secret_id: str, registry: str, username: str, sealed: bytes) -> str:
        """The password; raises SealBroken, also where the row names another registry or user than then."""
        return self._pull_secrets.open(sealed, pull_secret_id, registry, username).decode()

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

    def exchange_client_secret(self, provider_id: str, place: str, secret: str) -> bytes | None:
        """The secret of the client that exchanges, as the provider's row keeps it. `place`: where it may go."""
        return self._client_secrets.seal(secret.encode(), provider_id, place) if secret else None

    def open_exchange_client_secret(self, provider_id: str, place: str, sealed: bytes | None) -> str:
        """The secret, '' for none; raises SealBroken, also where the provider names another place than before."""
        return self._client_secrets.open(sealed, provider_id, place).decode() if sealed else ""

    def provider_tokens(self, identity_id: str, tokens: bytes) -> bytes:
        """A provider's tokens as the identity's row keeps them."""
        return self._provider_tokens.seal(tokens, identity_id)

    def open_provider_tokens(self, identity_id: str, sealed: bytes) -> bytes:
        """A provider's tokens; raises SealBroken."""
        return self._provider_tokens.open(sealed, identity_id)

    def provider_claims(self, identity_id: str, claims: bytes) -> bytes:
        """What a provider said of a person as the identity's row keeps it."""
        return self._provider_claims.seal(claims, identity_id)

    def open_provider_claims(self, identity_id: str, sealed: bytes) -> bytes:
        """What a provider said of a person; raises SealBroken."""
        return self._provider_claims.open(sealed, identity_id)

    def browser_cookie(self, name: str, plain: bytes) -> bytes:
        """What a browser keeps for us."""
        return self._cookies.seal(plain, name)

    def open_browser_cookie(self, name: str, sealed: bytes) -> bytes:
        """What a browser brought back; raises SealBroken."""
        return self._cookies.open(sealed, name)

    def entry_client_secret(self, entry_id: str, place: str, secret: str) -> bytes | None:
        """The secret of an entry's own client, as the entry's row keeps it. `place`: where it may go."""
        return self._entry_clients.seal(secret.encode(), entry_id, place) if secret else None

    def open_entry_client_secret(self, entry_id: str, place: str, sealed: bytes | None) -> str:
        """The secret, '' for none; raises SealBroken, also where the entry names another place than before."""
        return self._entry_clients.open(sealed, entry_id, place).decode() if sealed else ""

    def upstream_client_secret(self, client_pk: str, issuer: str, secret: str) -> bytes | None:
        """The secret of a client that Archway registered, as the client's row keeps it."""
        return self._upstream_clients.seal(secret.encode(), client_pk, issuer) if secret else None

    def open_upstream_client_secret(self, client_pk: str, issuer: str, sealed: bytes | None) -> str:
        """The secret, '' for none; raises SealBroken."""
        return self._upstream_clients.open(sealed, client_pk, issuer).decode() if sealed else ""

    def account_tokens(self, installation_id: str, account: NewAccount, tokens: AccountTokens) -> bytes:
        """Tokens as the account's row keeps them: for this installation, and for where the account may go."""
        return self._accounts.seal(msgspec.json.encode(tokens), installation_id, *bound_words(account))

    def open_account_tokens(self, account: Account) -> AccountTokens:
        """An account's tokens; raises SealBroken."""
        return self.open_tokens(account.tokens, account.installation_id, account.bound_to)

    def open_tokens(self, sealed: bytes, installation_id: str, bound_to: tuple[str, ...]) -> AccountTokens:
        """The tokens of an account that may be gone; `bound_to`: as `bound_words` had it. Raises SealBroken."""
        return _tokens.decode(self._accounts.open(sealed, installation_id, *bound_to))

    def sign_in(self, sign_in_id: str, part: str, plain: bytes) -> bytes:
        """A part of a sign-in at a provider as its row keeps it. `part`: `begun` or `tokens`."""
        return self._sign_ins.seal(plain, sign_in_id, part)

    def open_sign_in(self, sign_in_id: str, part: str, sealed: bytes) -> bytes:
        """A part of a sign-in at a provider; raises SealBroken."""
        return self._sign_ins.open(sealed, sign_in_id, part)

    def bridge_token(self, installation_id: str, token: str) -> bytes:
        """What calls to the installation's bridge carry, as its row keeps it."""
        return self._bridge_tokens.seal(token.encode(), installation_id)

    def open_bridge_token(self, installation_id: str, sealed: bytes | None) -> str:
        """What calls to the installation's bridge carry, '' before it was first run; raises SealBroken."""
        return self._bridge_tokens.open(sealed, installation_id).decode() if sealed else ""

    def open(self, entry: Entry, installation: Installation, account: Account | None = None) -> OpenedSecrets:
        """The secrets of both, and the account's token under `ACCESS_TOKEN`; raises SealBroken where one was moved,
        changed, or sealed with a key that is gone.
        """
        values = self.open_secret_values(installation.id, installation.secret_values)
        if account is not None:
            values[ACCESS_TOKEN] = self.open_account_tokens(account).access_token
        bridge_token = self.open_bridge_token(installation.id, installation.bridge_token)
        return OpenedSecrets(
            self.open_fixed_headers(entry.id, entry.fixed_headers),
            values,
            bridge_token,
            self.open_run_secrets(entry.id, entry.run_secrets),
        )


def _opened(sealer: Sealer, sealed: bytes | None, owner: str) -> dict[str, str]:
    return _pairs.decode(sealer.open(sealed, owner)) if sealed else {}
