"""What control would say of the server of a bench: the organisation's installation, with or without what the server
is told of a caller. Used by `rig.py`.
"""

import time

from msgspec.structs import replace

from core.caller_statements import StatementSigner
from core.identifiers import new_id
from core.resolve import Principal, ResolvedInstallation


def telling(
    statements: StatementSigner, installation: ResolvedInstallation, principal: Principal
) -> ResolvedInstallation:
    """The same as this caller gets it where the server is told of them, and of each request."""
    claims = {"sub": principal.key, "aud": "http://192.0.2.9", "email": f"{principal.name}@bench.invalid"}
    told = [("x-archway-caller", statements.statement(claims, time.time())[0])]
    return replace(installation, made_for=principal.key, request_id_header="x-request-id", statement_headers=told)


def installation_of(entry_id: str) -> ResolvedInstallation:
    """What control says of the organisation's installation of a server with a static credential."""
    return ResolvedInstallation(
        installation_id=new_id(),
        entry_id=entry_id,
        entry="srv",
        owner="organisation",
        kind="remote",
        url="http://192.0.2.9/mcp",
        version=1,
        credential_headers=[("Authorization", "Bearer a-credential-of-the-usual-length")],
        expires_at=time.time() + 86_400,
        installation="Main",
        account="somebody@example.com",
    )
