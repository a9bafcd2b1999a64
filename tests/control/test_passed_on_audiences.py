"""Entries whose servers get the caller's own token, over the admin API: which audiences they may name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures_admin import AdminClient

FIELD = "credential_placement.audiences"


def wanted(**placement: Any) -> dict[str, Any]:
    return {
        "slug": "crm", "name": "CRM", "url": "https://crm.test/mcp", "credential_model": "passthrough",
        "credential_placement": placement,
    }  # fmt: skip


@pytest.mark.parametrize(
    "own",
    ["https://mcp.example.com/v1/mcp/work", "https://tools.example.com"],
    ids=["a gateway's", "where people sign in"],
)
async def test_what_is_for_archway_alone_is_refused_when_it_is_saved_and_when_it_is_changed(
    admin: AdminClient, own: str
) -> None:
    refused = await admin.post("/entries", wanted(audiences=["api://crm", own]))
    assert refused.status == 422
    assert "is Archway's own" in refused.problem(FIELD)
    entry = await admin.made("/entries", wanted(audiences=["api://crm"]))
    assert entry["credential_placement"] == {"audiences": ["api://crm"]}
    change = {"credential_model": "passthrough", "credential_placement": {"audiences": [own]}}
    changed = await admin.patch(f"/entries/{entry['id']}", change)
    assert "is Archway's own" in changed.problem(FIELD)


async def test_an_entry_that_passes_tokens_on_says_for_what(admin: AdminClient) -> None:
    assert (await admin.post("/entries", wanted())).status == 422
    assert (await admin.post("/entries", wanted(audiences=[]))).status == 422
    assert (await admin.post("/entries", wanted(audiences=[""]))).status == 422
