"""Identity providers of the registry for tests: usual ones, with what a test changes."""

from __future__ import annotations

from typing import Any

from control.registry.identity import ProvidedPerson
from control.registry.identity_provider import IdentityProvider, ProviderFields
from tests.fakes.registry import MADE_AT

ISSUER = "https://id.example.com"
_FIELDS: dict[str, Any] = {
    "slug": "corp", "name": "Corp", "issuer": ISSUER, "enabled": True, "sign_in": True, "client_id": "archway",
    "client_authentication": "client_secret_basic", "scopes": ("openid", "email", "offline_access"),
    "authorize_parameters": {}, "audiences": (), "algorithms": ("RS256", "ES256"), "email_claim": "email",
    "name_claim": "name", "teams_claim": "", "roles_claim": "", "assume_email_verified": False,
    "allowed_domains": ("corp.test",), "match_email": True, "create_people": False, "highest_role": "member",
    "team_rules": (), "role_rules": (), "approved_hosts": (),
}  # fmt: skip


def provider_fields(**changes: Any) -> ProviderFields:
    return ProviderFields(**{**_FIELDS, **changes})


def a_provider(**changes: Any) -> IdentityProvider:
    usual: dict[str, Any] = {
        **_FIELDS, "id": "p1", "client_secret": b"sealed", "created_at": MADE_AT, "updated_at": MADE_AT, "version": 1,
    }  # fmt: skip
    return IdentityProvider(**{**usual, **changes})


def a_person(**changes: Any) -> ProvidedPerson:
    usual: dict[str, Any] = {
        "issuer": ISSUER, "subject": "ann", "email": "ann@corp.test", "email_verified": True, "name": "Ann",
        "teams": None, "role": None,
    }  # fmt: skip
    return ProvidedPerson(**{**usual, **changes})
