"""Makes the code that a client redeems, when a person has agreed: now, or earlier to the same.

Called by the authorize endpoint and the consent page, in the transaction of the person who agrees.
"""

import secrets
from typing import Final

from control.changes import oauth_grants as changes
from control.changes.oauth_grants import NewGrant
from control.changes.write import Write
from control.registry.redirects import redirect_host
from control.store import oauth_clients
from control.store.oauth_requests import AskedConsent
from core.tokens import digest

_BYTES: Final = 32


async def code_for(write: Write, agreed: AskedConsent) -> str:
    """The code of a new grant; StoreConflict where the client or the gateway is gone meanwhile."""
    code = f"archc_{secrets.token_urlsafe(_BYTES)}"
    wanted = NewGrant(
        client_pk=agreed.client_id,
        user_id=agreed.user_id,
        gateway_id=agreed.gateway_id,
        scopes=agreed.scopes,
        redirect_host=redirect_host(agreed.redirect_uri),
    )
    await changes.allow(write, wanted, digest(code), redirect_uri=agreed.redirect_uri, challenge=agreed.challenge)
    await oauth_clients.note_use(write.connection, agreed.client_id)
    return code
