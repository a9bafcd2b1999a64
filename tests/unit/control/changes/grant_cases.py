"""Changes of what clients are allowed, as `test_every_change.py` makes each of them."""

from __future__ import annotations

from typing import Any

from control.changes import oauth_grants
from tests.unit.control.changes.acting import a_grant, new_grant, vouched_grant

GRANTS: dict[str, tuple[Any, ...]] = {
    "oauth_grants.allow": (
        lambda write, there: new_grant(write, there.client, there.other, there.gateway),
        "create grant",
    ),
    "oauth_grants.allow_itself": (
        lambda write, there: oauth_grants.allow_itself(write, a_grant(there.client, None, there.gateway)),
        "create grant",
    ),
    "oauth_grants.allow_by_assertion": (
        lambda write, there: vouched_grant(write, there.client, there.identity, there.gateway),
        "create grant",
    ),
    "oauth_grants.revoke": (
        lambda write, there: oauth_grants.revoke(write, there.grant.id),
        "revoke grant",
        lambda there: [("grant", there.grant.id)],
    ),
    "oauth_grants.revoke_all_of": (
        lambda write, there: oauth_grants.revoke_all_of(write, user_id=there.user),
        "revoke grant",
        lambda there: [("grant", there.grant.id)],
    ),
    "oauth_grants.end": (
        lambda write, there: oauth_grants.end(write, there.grant, "token_reused"),
        "revoke grant",
        lambda there: [("grant", there.grant.id)],
    ),
}
