"""Users, teams and memberships over the admin API."""

from __future__ import annotations

from tests.fixtures_admin import AdminClient


async def test_a_user_is_made_read_changed_and_deleted(admin: AdminClient) -> None:
    made = await admin.made("/users", {"name": "Ann", "email": "ann@example.com"})
    path = f"/users/{made['id']}"
    assert (await admin.get(path)).json == made
    assert (made["role"], made["version"], made["disabled_at"]) == ("member", 1, None)
    changed = await admin.patch(path, {"role": "admin"})
    assert (changed.status, changed.json["role"], changed.json["name"], changed.headers["ETag"]) == (
        200, "admin", "Ann", '"2"',
    )  # fmt: skip
    assert (await admin.delete(path)).status == 204
    assert (await admin.get(path)).status == 404
