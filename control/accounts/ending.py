"""How a sign-in at a provider ends: its account is kept, or its tokens are given back.

Called by the install page when the person has answered, and by `unended.py` for those who never did. To keep it is
one transaction of the person: the installation, where a new one is wanted, the account, and the end of the sign-in.
"""

from datetime import datetime

import msgspec

from control.accounts.kept_clients import sealed_secret
from control.accounts.sign_ins import Waiting, opened
from control.changes import accounts as changes
from control.changes.refusals import NotThere
from control.changes.safeguards import Safeguards
from control.changes.write import Write
from control.registry.account_revocation import NewRevocation
from control.registry.account_sign_in import AccountSignIn
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from control.registry.token_at_start import renewed_ahead
from control.store import account_revocations, account_sign_ins, accounts, entries, upstream_clients
from control.store.pool import Connection
from core.identifiers import new_id
from core.sealing import SealBroken


async def connect(
    write: Write, safeguards: Safeguards, waiting: Waiting, session_id: str, now: datetime
) -> Installation:
    """The person has said that the account is the right one. NotThere where the sign-in is over; raises else as
    `control/changes/accounts.connect`.
    """
    row = await account_sign_ins.waiting(
        write.connection, waiting.id, write.actor.user_id, session_id, lock=True
    )  # fmt: skip
    if row is None:
        raise NotThere("sign-in")
    way, given = waiting.way, waiting.given
    target = waiting.installation.id if way.wanted is None and waiting.installation else None
    wanted = target or (way.wanted.of(row.entry_id) if way.wanted else None)
    if wanted is None:
        raise NotThere("installation")
    account = way.account(given, now, renewed_ahead(waiting.entry))
    installation = await changes.connect(write, safeguards, wanted, account, given.tokens)
    await account_sign_ins.end(write.connection, row.id)
    return installation


async def cancel(connection: Connection, seals: RowSeals, row: AccountSignIn, now: datetime) -> None:
    """It becomes no account: what the provider gave is queued to be revoked. The row is locked by whoever calls."""
    await account_sign_ins.end(connection, row.id)
    if row.tokens is None:
        return
    entry = await entries.one(connection, row.entry_id)
    try:
        way, given = opened(seals, row)
    except (SealBroken, msgspec.MsgspecError):
        return
    if given is None or entry is None or not way.server.revocation_endpoint:
        return
    account, nobody = way.account(given, now), new_id()
    if await accounts.held_elsewhere(connection, account):
        return
    row_id = account.upstream_client_id
    registered = None if row_id is None else await upstream_clients.one(connection, row_id)
    await account_revocations.add(
        connection,
        NewRevocation(
            installation_id=nobody,
            entry_id=entry.id,
            place=account.place,
            issuer=account.issuer,
            token_endpoint=account.token_endpoint,
            revocation_endpoint=account.revocation_endpoint,
            resource=account.resource,
            client_id=account.client_id,
            client_authentication=account.client_authentication,
            upstream_client_id=account.upstream_client_id,
            client_secret=sealed_secret(entry, account, registered),
            tokens=seals.account_tokens(nobody, account, given.tokens),
        ),
    )
