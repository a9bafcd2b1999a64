"""`/identity-providers` over HTTP, on a real PostgreSQL, with an issuer on loopback that says what a test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.issuer import FakeIssuer, rsa_jwk
from tests.fixtures_admin import AdminClient

SECRET = "the-secret-of-the-client"


@pytest.fixture
async def issuer() -> AsyncIterator[FakeIssuer]:
    async with FakeIssuer() as running:
        yield running


def body(there: FakeIssuer, **changes: Any) -> dict[str, Any]:
    usual = {
        "slug": "corp", "name": "Corp", "issuer": there.issuer, "client_id": "archway", "client_secret": SECRET,
        "allowed_domains": ["corp.test"],
    }  # fmt: skip
    return {**usual, **changes}


async def test_a_provider_is_added_asked_and_shown_without_its_secret(admin: AdminClient, issuer: FakeIssuer) -> None:
    made = await admin.made("/identity-providers", body(issuer))
    assert made["redirect_uri"] == "https://tools.example.com/sign-in/oidc/corp/callback"
    assert (made["has_client_secret"], made["seen"]["keys"], made["warnings"]) == (True, ["a"], [])
    assert made["seen"]["endpoints"]["token_endpoint"] == f"{issuer.issuer}/token"
    shown = (await admin.get(f"/identity-providers/{made['id']}")).json
    assert shown == made
    assert (await admin.items("/identity-providers?slug=corp")) == [made]
    trail = await admin.get("/audit?object_kind=identity_provider")
    for answer in (shown, trail.json):
        assert SECRET not in str(answer)
    assert "client_secret" not in shown


async def test_a_provider_that_cannot_be_asked_is_added_and_says_why(admin: AdminClient, issuer: FakeIssuer) -> None:
    issuer.metadata = {"issuer": "https://other.example.com"}
    made = await admin.made("/identity-providers", body(issuer))
    assert "another issuer" in made["seen"]["fault"]
    assert "another issuer" in made["warnings"][0]
    issuer.metadata = {}
    tested = await admin.post(f"/identity-providers/{made['id']}/test")
    assert (tested.status, tested.json["seen"]["keys"], tested.json["warnings"]) == (200, ["a"], [])


async def test_hosts_that_are_foreign_are_shown_and_approved_once(admin: AdminClient, issuer: FakeIssuer) -> None:
    async with FakeIssuer() as elsewhere:
        issuer.metadata = {"jwks_uri": f"{elsewhere.issuer}/keys"}
        made = await admin.made("/identity-providers", body(issuer))
        assert made["seen"]["unapproved_hosts"] == [elsewhere.issuer]
        assert elsewhere.issuer in made["warnings"][0]
        assert elsewhere.fetched == 0
        path = f"/identity-providers/{made['id']}"
        changed = await admin.patch(path, {"approved_hosts": [elsewhere.issuer]})
        assert (changed.json["seen"]["unapproved_hosts"], changed.json["seen"]["keys"]) == ([], ["a"])
        assert elsewhere.fetched == 1


async def test_keys_that_are_not_used_are_told(admin: AdminClient, issuer: FakeIssuer) -> None:
    issuer.keys = [rsa_jwk("a"), rsa_jwk("b", 1024), rsa_jwk("c", use="enc")]
    made = await admin.made("/identity-providers", body(issuer))
    assert made["seen"]["keys"] == ["a"]
    (weak, for_encryption) = made["seen"]["skipped_keys"]
    assert "not for signatures" in for_encryption
    (warning,) = made["warnings"]
    assert weak in warning


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"issuer": "https://10.0.0.1"}, "issuer"),
        ({"issuer": "not an address"}, "issuer"),
        ({"client_secret": ""}, "client_secret"),
        ({"algorithms": ["HS256"]}, "algorithms[0]"),
        ({"algorithms": ["none"]}, "algorithms[0]"),
        ({"scopes": ["email"]}, "scopes"),
        ({"create_people": True, "allowed_domains": []}, "allowed_domains"),
        ({"role_rules": [{"value": "x", "role": "admin"}], "roles_claim": "roles"}, "role_rules[0].role"),
        ({"audiences": ["archway"]}, "audiences"),
    ],
)
async def test_what_cannot_be_saved_names_its_field(
    admin: AdminClient, issuer: FakeIssuer, changes: dict[str, Any], field: str
) -> None:
    answer = await admin.post("/identity-providers", body(issuer, **changes))
    assert answer.status == 422
    assert answer.problem(field)
    assert SECRET not in answer.body.decode()


async def test_each_issuer_and_each_slug_is_one_providers(admin: AdminClient, issuer: FakeIssuer) -> None:
    await admin.made("/identity-providers", body(issuer))
    assert (await admin.post("/identity-providers", body(issuer, slug="other"))).problem("issuer")
    async with FakeIssuer() as other:
        assert (await admin.post("/identity-providers", body(other))).problem("slug")


async def test_a_secret_stays_until_another_is_given_and_goes_to_no_other_issuer(
    admin: AdminClient, issuer: FakeIssuer
) -> None:
    made = await admin.made("/identity-providers", body(issuer))
    path = f"/identity-providers/{made['id']}"
    renamed = await admin.patch(path, {"name": "Corporation"})
    assert (renamed.json["name"], renamed.json["has_client_secret"]) == ("Corporation", True)
    async with FakeIssuer() as other:
        refused = await admin.patch(path, {"issuer": other.issuer})
        assert refused.problem("client_secret")
        moved = await admin.patch(path, {"issuer": other.issuer, "client_secret": "another"})
        assert (moved.json["has_client_secret"], moved.json["seen"]["keys"]) == (True, ["a"])
        assert other.fetched == 1


async def test_a_gateway_names_a_provider_and_one_of_its_audiences(admin: AdminClient, issuer: FakeIssuer) -> None:
    provider = await admin.made("/identity-providers", body(issuer))
    named = {"slug": "work", "name": "Work", "identity_provider_id": provider["id"]}
    assert (await admin.post("/gateways", named)).problem("identity_provider_id")
    path = f"/identity-providers/{provider['id']}"
    await admin.patch(path, {"audiences": ["api://a", "api://b"]})
    assert (await admin.post("/gateways", named)).problem("identity_provider_audience")
    wrong = await admin.post("/gateways", {**named, "identity_provider_audience": "api://c"})
    assert wrong.problem("identity_provider_audience")
    gateway = await admin.made("/gateways", {**named, "identity_provider_audience": "api://a"})
    assert "jwt" in gateway["client_auth"]
    assert (await admin.delete(path)).status == 409
    await admin.patch(path, {"enabled": False})
    assert any("switched off" in one for one in (await admin.get(f"/gateways/{gateway['id']}")).json["warnings"])
    plain = await admin.patch(f"/gateways/{gateway['id']}", {"identity_provider_id": None})
    assert (plain.json["identity_provider_audience"], "jwt" in plain.json["client_auth"]) == ("", False)
    assert (await admin.delete(path)).status == 204
    assert (await admin.get(path)).status == 404


async def test_a_provider_with_one_audience_needs_not_be_told_which(admin: AdminClient, issuer: FakeIssuer) -> None:
    provider = await admin.made("/identity-providers", body(issuer, audiences=["api://a"]))
    gateway = await admin.made("/gateways", {"slug": "w", "name": "W", "identity_provider_id": provider["id"]})
    assert gateway["identity_provider_audience"] == "api://a"


async def test_a_gateway_takes_assertions_of_a_provider_that_it_names(admin: AdminClient, issuer: FakeIssuer) -> None:
    taking = {"slug": "w", "name": "W", "takes_assertions": True}
    assert (await admin.post("/gateways", taking)).problem("takes_assertions")
    provider = await admin.made("/identity-providers", body(issuer))
    gateway = await admin.made("/gateways", {**taking, "identity_provider_id": provider["id"]})
    assert (gateway["identity_provider_audience"], gateway["client_auth"]) == ("", ["token", "oauth", "id_jag"])
    path = f"/gateways/{gateway['id']}"
    assert (await admin.patch(path, {"takes_assertions": False})).problem("identity_provider_id")
    none = await admin.patch(path, {"identity_provider_id": None})
    assert (none.json["takes_assertions"], none.json["client_auth"]) == (False, ["token", "oauth"])


async def test_a_gateway_cannot_name_a_provider_that_there_is_not(admin: AdminClient) -> None:
    named = {"slug": "w", "name": "W", "identity_provider_id": admin.user["id"]}
    assert (await admin.post("/gateways", named)).problem("identity_provider_id")
    lonely = {"slug": "w", "name": "W", "identity_provider_audience": "api://a"}
    assert (await admin.post("/gateways", lonely)).problem("identity_provider_audience")


async def test_editors_see_providers_and_admins_alone_change_them(admin: AdminClient, issuer: FakeIssuer) -> None:
    made = await admin.made("/identity-providers", body(issuer))
    editor, member = await admin.as_new_user("Ed", "editor"), await admin.as_new_user("Mem")
    path = f"/identity-providers/{made['id']}"
    assert (await editor.get(path)).json["name"] == "Corp"
    assert (await member.get(path)).status == 403
    assert (await editor.post("/identity-providers", body(issuer))).status == 403
    assert (await editor.send("PATCH", path, {"name": "Mine"}, match="*")).status == 403
    assert (await editor.delete(path)).status == 403
    assert (await editor.post(f"{path}/test")).status == 403
