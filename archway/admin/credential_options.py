"""How the command line asks what credential an entry's server gets: its kind, and the settings of that kind.

Used by `registry.py`. The admin API says what each setting is (`control/registry/credential.py`).
"""

from typing import Final

from archway.admin.resource import Option

KINDS: Final = "none, static, oauth, client_credentials, token_exchange, id_jag or passthrough"
CREDENTIAL: Final = (
    Option(
        "credential_model",
        "none; static: a key or token that installations bring; oauth: each person signs in at the server's "
        "provider; client_credentials: a client of the installation gets tokens for itself; token_exchange: the "
        "caller's identity provider exchanges theirs; id_jag: the server's own authorization server takes that "
        "provider's word; passthrough: the caller's own token of it.",
    ),
    Option(
        "credential_placement",
        'JSON: for static {"style": "bearer"|"authorization"|"header", "header": "x-api-key"}; for oauth such as '
        '{"scopes": ["repo"], "issuer": "https://login.example.com"}; for client_credentials such as '
        '{"issuer": "https://login.example.com", "scopes": ["mcp"]}; for token_exchange such as '
        '{"identity_provider_id": "0199...", "audience": "crm"}; for id_jag such as '
        '{"identity_provider_id": "0199...", "issuer": "https://as.example.com", "client_id": "archway"}; for '
        'passthrough {"audiences": ["crm"]}.',
        "json",
        example='{"style": "header", "header": "x-api-key"}',
    ),
)
