"""Entries and installations as the store makes them, for tests of the rules: usual ones, with what a test changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from control.registry.credential import NoCredential, StaticCredential
from control.registry.entry import Entry, Remote, WantedEntry
from control.registry.installation import Installation
from control.registry.owner import Organisation

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
        "created_at": MADE_AT, "updated_at": MADE_AT, "version": 1,
    }  # fmt: skip
    return Entry(**{**usual, **changes})


def a_wanted_entry(url: str = "https://github.test/mcp", **changes: Any) -> WantedEntry:
    return WantedEntry(**{**_FIELDS, "reached": Remote(url), **changes})


def an_installation(**changes: Any) -> Installation:
    usual: dict[str, Any] = {
        "id": "i1", "entry_id": "e1", "entry_slug": "github", "entry_name": "GitHub", "name": "Ours",
        "owner": Organisation(), "protocol": "auto", "state": "ready", "state_reason": "", "server": {},
        "plain_values": {}, "secret_values": None, "secret_names": (), "bound_origin": "https://github.test",
        "credential_version": 1, "created_by": None, "created_at": MADE_AT, "updated_at": MADE_AT,
        "discovered_at": None, "version": 1,
    }  # fmt: skip
    return Installation(**{**usual, **changes})
