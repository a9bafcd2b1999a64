"""Clients of ours at providers of servers, as rows keep them: which secret is whose, opened for whoever asks with it.

Called when somebody signs in (`upstream_providers.py`), when tokens are renewed (`next_tokens.py`) and when they are
given back (`ending.py`, `revocations.py`). A secret opens only for what it was sealed for: of a client that Archway
registered itself its row and its issuer, of an entry's own client the entry and where that secret may go. A client
that an installation brought is here only when its tokens go back.
"""

from msgspec.structs import replace

from control.credentials.upstream_oauth.client import TokenPlace, UpstreamClient, method_named
from control.registry.account import NewAccount, client_place, client_place_in
from control.registry.account_revocation import NewRevocation
from control.registry.credential import CREDENTIAL, OAuthCredential
from control.registry.entry import Entry, bound_origin
from control.registry.row_seals import RowSeals
from control.registry.upstream_client import RegisteredClient
from core.client_keys import ClientKey
from core.sealing import SealBroken


def own_secret(seals: RowSeals, entry: Entry, settings: OAuthCredential) -> str:
    """The secret of the client that an admin registered by hand, '' for none; raises SealBroken."""
    return seals.open_entry_client_secret(entry.id, _own_place(entry, settings), entry.client_secret)


def registered_client(seals: RowSeals, row: RegisteredClient) -> UpstreamClient:
    """The client that Archway registered itself; raises SealBroken."""
    ends = row.secret_expires_at
    return UpstreamClient(
        issuer=row.issuer,
        client_id=row.client_id,
        client_secret=seals.open_upstream_client_secret(row.id, row.issuer, row.client_secret),
        authentication=method_named(row.client_authentication),
        how="dynamic",
        secret_expires_at=0 if ends is None else int(ends.timestamp()),
    )


def client_of_account(
    seals: RowSeals, entry: Entry, settings: OAuthCredential, account: NewAccount, registered: RegisteredClient | None
) -> UpstreamClient:
    """The client that an account was given to. `registered`: the row that the account names, if it names one. Raises
    SealBroken, also where that row is gone or is of another issuer.
    """
    row = account.upstream_client_id
    if row is not None and (registered is None or registered.issuer != account.issuer):
        raise SealBroken("the client that Archway registered is gone")
    return _client(seals, account, entry.id, _own_place(entry, settings), sealed_secret(entry, account, registered))


def client_of_revocation(seals: RowSeals, given: NewRevocation) -> UpstreamClient:
    """The client that tokens were given to which go back now; raises SealBroken. An installation's own has its key in
    the place of a secret, where it signs.
    """
    if given.client_of == "entry":
        return _client(seals, given, given.entry_id, client_place_in(given.place), given.client_secret)
    return UpstreamClient(
        issuer=given.issuer,
        client_id=given.client_id,
        client_secret=seals.open_secret_values(given.installation_id, given.client_secret).get(CREDENTIAL, ""),
        authentication=method_named(given.client_authentication),
    )


def place_of_revocation(seals: RowSeals, given: NewRevocation) -> TokenPlace:
    """Where the tokens came from, and as whom they go back; raises SealBroken, KeyRefused."""
    client, key = client_of_revocation(seals, given), None
    if client.authentication == "private_key_jwt":
        key = ClientKey.from_pem(client.client_secret)
        client = replace(client, client_secret="")
    return TokenPlace(endpoint=given.token_endpoint, client=client, key=key)


def sealed_secret(entry: Entry, account: NewAccount, registered: RegisteredClient | None) -> bytes | None:
    """The secret of the client that an account was given to, still sealed; None for a client that has none, as that
    of a document of ours, and for one that is gone.
    """
    if account.upstream_client_id is not None:
        return None if registered is None else registered.client_secret
    is_own = isinstance(entry.credential, OAuthCredential) and entry.credential.client_id == account.client_id
    return entry.client_secret if is_own else None


def _client(
    seals: RowSeals, given_to: NewAccount | NewRevocation, entry_id: str, own_place: str, sealed: bytes | None
) -> UpstreamClient:
    row = given_to.upstream_client_id
    if row is None:
        secret = seals.open_entry_client_secret(entry_id, own_place, sealed)
    else:
        secret = seals.open_upstream_client_secret(row, given_to.issuer, sealed)
    return UpstreamClient(
        issuer=given_to.issuer,
        client_id=given_to.client_id,
        client_secret=secret,
        authentication=method_named(given_to.client_authentication),
    )


def _own_place(entry: Entry, settings: OAuthCredential) -> str:
    return client_place(settings, bound_origin(entry.reached))
