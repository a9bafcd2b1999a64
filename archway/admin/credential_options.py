"""How the command line asks what credential an entry's server gets: its kind, and the settings of that kind.

Used by `entries.py`. The admin API says what each setting is (`control/registry/credential.py`).
"""

from types import MappingProxyType
from typing import Final

from archway.admin.resource import Option

_EXAMPLES: Final = MappingProxyType(
    {
        "static": '{"style": "header", "header": "x-api-key"}',
        "oauth": '{"scopes": ["repo"], "issuer": "https://login.example.com"}',
        "client_credentials": '{"issuer": "https://login.example.com", "scopes": ["mcp"]}',
        "token_exchange": '{"identity_provider_id": "0199...", "audience": "crm"}',
        "id_jag": '{"identity_provider_id": "0199...", "issuer": "https://as.example.com", "client_id": "archway"}',
        "passthrough": '{"audiences": ["crm"]}',
    }
)
"""Settings that would do, by the kind."""
_FORMS: Final = "; ".join(f"for {kind} such as {form}" for kind, form in _EXAMPLES.items())
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
        f"JSON, by the model: {_FORMS}.",
        "json",
        example=_EXAMPLES["static"],
        examples_by=("credential_model", _EXAMPLES),
    ),
)
