"""One dialect of PATCH in the whole API: what is named changes, and null is refused where it means nothing."""

from typing import Any

import pytest

from control.admin.app import RESOURCES
from control.http.models import Change
from tests.control.registry_api import Api, api

__all__ = ["api"]

NULL_MEANS = {
    "/gateways/{gateway_id}": {"owner_id", "identity_provider_id"},
    "/environments/{environment_id}": {"egress", "resources"},
    "/entries/{entry_id}": {
        "caller_statement",
        "credential_placement",
        "discovery_installation_id",
        "environment_id",
        "run",
        "team_id",
    },
    "/gateways/{gateway_id}/assignments/{assignment_id}": {"installation"},
    "/tokens/{token_id}": {"expires_at"},
    "/oauth-clients/{oauth_client_id}": {"team_id"},
    "/pull-secrets/{pull_secret_id}": {"team_id"},
}
"""Everywhere else null is refused."""
ONE_FIELD = {"/entries/{entry_id}/tools/{tool_id}"}
PATCHES = {
    operation.path: operation.body
    for resource in RESOURCES
    for operation in resource.declared
    if operation.method == "PATCH" and operation.path not in ONE_FIELD
}


@pytest.mark.parametrize("path", PATCHES)
def test_null_is_taken_only_where_it_means_something(path: str) -> None:
    body: Any = PATCHES[path]
    assert issubclass(body, Change)
    nullable = {
        name
        for name, field in body.model_json_schema()["properties"].items()
        if any(one.get("type") == "null" for one in field.get("anyOf", ()))
    }
    assert nullable == NULL_MEANS.get(path, set())


async def test_a_null_that_means_nothing_is_refused_by_name_and_changes_nothing(api: Api) -> None:
    entry = await api.entry()
    paths = {
        f"/entries/{entry['id']}": ("name", "fields", "fixed_headers"),
        f"/installations/{(await api.install(entry))['id']}": ("name", "values", "credential"),
        f"/gateways/{(await api.gateway())['id']}": ("slug", "teams", "audit_required"),
    }
    for path, fields in paths.items():
        before = await api.get(path)
        for field in fields:
            problem = await api.patch(path, {field: None}, expect=422)
            assert [one["field"] for one in problem["errors"]] == [field]
        assert await api.get(path) == before


async def test_a_patch_that_names_nothing_changes_nothing(api: Api) -> None:
    entry = await api.entry(fixed_headers={"x-a": "1"}, deadline_s=7, labels={"a": "b"})
    after = await api.patch(f"/entries/{entry['id']}", {})
    same = {"version", "updated_at"}
    assert {k: v for k, v in after.items() if k not in same} == {k: v for k, v in entry.items() if k not in same}
