"""Objects of the registry as the store makes them, for tests of the rules: usual ones, with what a test changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from control.registry.account import Account
from control.registry.credential import NoCredential, StaticCredential
from control.registry.entry import Entry, Remote, WantedEntry
from control.registry.gateway import AssignedRoute, Gateway, GatewayFields
from control.registry.installation import Installation
from control.registry.owner import Organisation
from control.registry.server_state import ServerState

MADE_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BEARER = StaticCredential("bearer")
_FIELDS: dict[str, Any] = {
    "slug": "github", "name": "GitHub", "description": "", "docs_url": "", "labels": {},
    "visibility": "organisation", "teams": (), "credential": NoCredential(), "fields": (), "passthrough": True,
    "isolation": "principal", "deadline_s": 0.0,
}  # fmt: skip


def an_entry(url: str = "https://github.test/mcp", **changes: Any) -> Entry:
    usual: dict[str, Any] = {
        **_FIELDS, "id": "e1", "reached": Remote(url), "fixed_headers": None, "fixed_header_names": (),
        "run_secrets": None, "run_secret_names": (), "client_secret": None,
        "discovery": {}, "discovery_installation_id": None,
        "created_at": MADE_AT, "updated_at": MADE_AT, "version": 1,
    }  # fmt: skip
    return Entry(**{**usual, **changes})


def a_wanted_entry(url: str = "https://github.test/mcp", **changes: Any) -> WantedEntry:
    return WantedEntry(**{**_FIELDS, "reached": Remote(url), **changes})


def an_installation(**changes: Any) -> Installation:
    usual: dict[str, Any] = {
        "id": "i1", "entry_id": "e1", "entry_slug": "github", "entry_name": "GitHub", "name": "Ours",
        "owner": Organisation(), "owner_name": "organisation", "protocol": "auto", "state": "ready",
        "state_reason": "", "server": {},
        "plain_values": {}, "secret_values": None, "secret_names": (), "bound_origin": "https://github.test",
        "bound_url": "https://github.test/mcp",
        "bound_places": {"credential": "authorization: Bearer"},
        "credential_version": 1, "created_by": None, "is_default": True, "discovers": True,
        "created_at": MADE_AT, "updated_at": MADE_AT,
        "discovered_at": None, "version": 1,
    }  # fmt: skip
    return Installation(**{**usual, **changes})


def an_account(**changes: Any) -> Account:
    usual: dict[str, Any] = {
        "installation_id": "i1", "place": "here", "issuer": "https://login.test",
        "token_endpoint": "https://login.test/token", "client_id": "archway", "client_authentication": "none",
        "tokens": b"sealed", "version": 1, "wanted_scopes": (), "fault": "", "failing_since": None,
        "refused_at": None,
        "used_at": None, "refreshed_at": MADE_AT, "created_at": MADE_AT,
    }  # fmt: skip
    return Account(**{**usual, **changes})


def gateway_fields(**changes: Any) -> GatewayFields:
    usual: dict[str, Any] = {
        "slug": "work", "name": "Work", "description": "", "instructions": "", "labels": {},
        "visibility": "organisation", "teams": (), "owner_id": None, "header_allowlist": (), "audit_required": False,
    }  # fmt: skip
    return GatewayFields(**{**usual, **changes})


def a_gateway(**changes: Any) -> Gateway:
    fields = gateway_fields()
    usual: dict[str, Any] = {
        **{name: getattr(fields, name) for name in GatewayFields.__dataclass_fields__},
        "id": "g1", "revision": 1, "created_at": MADE_AT, "updated_at": MADE_AT, "version": 1,
    }  # fmt: skip
    return Gateway(**{**usual, **changes})


def assigned(exposed: str, **changes: Any) -> AssignedRoute:
    usual: dict[str, Any] = {
        "id": f"a-{exposed}", "exposed_name": exposed, "installation_id": None, "kind": "tool",
        "upstream_name": "search", "definition": {"name": "search", "title": "Search", "inputSchema": {}},
        "state": "active", "entry_id": "e1", "entry_slug": "github", "entry_kind": "remote", "passthrough": True,
        "installation_scope": None,
    }  # fmt: skip
    return AssignedRoute(**{**usual, **changes})


def a_server_state(**changes: Any) -> ServerState:
    """Of a server that we run, and that is ready."""
    usual: dict[str, Any] = {
        "installation_id": "i1", "place": "process", "phase": "ready", "generation": 1,
        "endpoint": "http://127.0.0.1:40001/mcp", "isolation": "user",
    }  # fmt: skip
    return ServerState(**{**usual, **changes})
