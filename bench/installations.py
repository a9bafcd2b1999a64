"""What control would say of the server of a bench: the organisation's installation, as it is for everybody or for one
caller. Used by `rig.py`.
"""

import time
from typing import Literal, assert_never

from msgspec.structs import replace

from core.caller_statements import StatementSigner
from core.identifiers import new_id
from core.resolve import Principal, Proof, ResolvedInstallation

Gets = Literal["key", "told", "exchanged", "passed_on"]
"""What a server gets: a key that all callers share; that, and a statement about the caller and each request's
identifier; a token that a provider gave for the caller; the caller's own token."""


def for_caller(
    gets: Gets, statements: StatementSigner, installation: ResolvedInstallation, principal: Principal, proof: Proof
) -> ResolvedInstallation:
    """The same as this caller gets it."""
    match gets:
        case "key":
            return installation
        case "told":
            claims = {"sub": principal.key, "aud": "http://192.0.2.9", "email": f"{principal.name}@bench.invalid"}
            told = [("x-archway-caller", statements.statement(claims, time.time())[0])]
            names = {"made_for": principal.key, "request_id_header": "x-request-id"}
            return replace(installation, statement_headers=told, **names)
        case "exchanged":
            token = new_id() * 20
            return replace(
                installation,
                made_for=principal.key,
                obtained_at=time.time(),
                credential_headers=[("authorization", f"Bearer {token}")],
            )
        case "passed_on":
            return replace(installation, made_for=proof.digest, caller_token=True, credential_headers=[])
    assert_never(gets)


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
