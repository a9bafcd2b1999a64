"""`/oauth-clients` and `/grants`: what admins register, what people allowed, and how both end."""

from __future__ import annotations

import pytest

from control.changes import oauth_grants
from control.changes.oauth_grants import NewGrant
from control.changes.write import changing
from control.registry.access import Caller
from control.store.oauth_grants import redeem
from control.store.pool import Pool, transaction
from core.identifiers import new_id
from core.tokens import digest
from tests.control import seeded
from tests.control.registry_api import Api, api
from tests.fixtures_admin import AdminClient

__all__ = ["api"]
WEB = {"name": "Open WebUI", "redirect_uris": ["https://chat.example.com/cb"]}


async def allowed(pool: Pool, client_pk: str, user_id: str, gateway_id: str) -> str:
    """A grant that counts."""
    code = digest(new_id())
    wanted = NewGrant(client_pk=client_pk, user_id=user_id, gateway_id=gateway_id, scopes=("mcp",))
    async with changing(pool, Caller(user_id, "Somebody", "member")) as write:
        made = await oauth_grants.allow(write, wanted, code, redirect_uri=WEB["redirect_uris"][0], challenge="c" * 43)
    async with transaction(pool) as connection:
        await redeem(connection, code, made.id)
    return made.id


async def test_a_client_is_registered_with_a_secret_that_is_shown_once(admin: AdminClient) -> None:
    made = await admin.made("/oauth-clients", WEB)

    assert made["client_secret"].startswith("archs_")
    assert (made["kind"], made["acts"], made["client_id"]) == ("registered", "for_people", made["id"])
    shown = (await admin.get(f"/oauth-clients/{made['id']}")).json
    assert "client_secret" not in shown
    assert shown["has_secret"] is True


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"redirect_uris": ["http://evil.example"]}, "redirect_uris[0]"), ({"acts": "by_itself"}, "redirect_uris"),
     ({"redirect_uris": []}, "redirect_uris"), ({"team_id": new_id()}, "team_id")],
)  # fmt: skip
async def test_what_does_not_fit_is_named(admin: AdminClient, changes: dict[str, object], field: str) -> None:
    answer = await admin.post("/oauth-clients", {**WEB, **changes})
    assert answer.status == 422
    assert answer.problem(field)


async def test_a_team_that_there_is_not_is_named(admin: AdminClient) -> None:
    wanted = {"name": "Nightly", "acts": "by_itself", "auth_method": "client_secret_basic", "team_id": new_id()}
    answer = await admin.post("/oauth-clients", wanted)
    assert answer.status == 409
    assert answer.problem("team_id")


async def test_a_client_is_changed_gets_another_secret_is_shut_out_and_deleted(admin: AdminClient) -> None:
    made = await admin.made("/oauth-clients", WEB)
    path = f"/oauth-clients/{made['id']}"

    changed = await admin.patch(path, {"name": "Chat", "redirect_uris": ["https://chat2.example.com/cb"]})
    renewed = await admin.post(f"{path}/renew-secret")
    out = await admin.post(f"{path}/disable")
    back = await admin.post(f"{path}/enable")

    assert changed.json["redirect_uris"] == ["https://chat2.example.com/cb"]
    assert renewed.json["client_secret"] not in ("", made["client_secret"])
    assert out.json["disabled_at"]
    assert back.json["disabled_at"] is None
    assert (await admin.delete(path)).status == 204
    assert await admin.items("/oauth-clients") == []


async def test_clients_are_listed_by_name_and_kind(admin: AdminClient) -> None:
    for name in ("b", "A"):
        await admin.made("/oauth-clients", {**WEB, "name": name})
    assert [one["name"] for one in await admin.items("/oauth-clients")] == ["A", "b"]
    assert await admin.items("/oauth-clients?kind=dynamic") == []
    assert [one["name"] for one in await admin.items("/oauth-clients?name=B")] == ["b"]


async def test_people_see_and_take_back_what_they_allowed_and_admins_what_anybody_did(api: Api, pool: Pool) -> None:
    client = await api.admin.made("/oauth-clients", WEB)
    gateway = await api.gateway(slug="work")
    ann, bob = await api.user("Ann"), await api.user("Bob")
    anns, bobs = [await allowed(pool, client["id"], one.user["id"], gateway["id"]) for one in (ann, bob)]

    (own,) = await ann.items("/grants")

    assert (own["id"], own["gateway_slug"], own["client_name"], own["state"]) == (anns, "work", WEB["name"], "active")
    assert {one["id"] for one in await api.admin.items("/grants")} == {anns, bobs}
    assert (await ann.get(f"/grants/{bobs}")).status == 404
    assert (await ann.post(f"/grants/{bobs}/revoke")).status == 404
    assert (await ann.post(f"/grants/{anns}/revoke")).json["state"] == "revoked"
    assert await ann.items("/grants") == []


async def test_all_that_a_person_or_a_client_was_allowed_ends_with_one_request(api: Api, pool: Pool) -> None:
    client = await api.admin.made("/oauth-clients", WEB)
    gateway = await api.gateway(slug="work")
    ann, bob = await api.user("Ann"), await api.user("Bob")
    for one in (ann, ann, bob):
        await allowed(pool, client["id"], one.user["id"], gateway["id"])

    assert (await ann.post(f"/users/{ann.user['id']}/revoke-grants")).json == {"revoked": 2}
    assert (await api.admin.post(f"/oauth-clients/{client['id']}/revoke-grants")).json == {"revoked": 1}
    assert await api.admin.items("/grants") == []


async def test_a_gateway_names_the_clients_that_it_lets_in_and_those_shut_out_are_told_to_proxies(
    api: Api, pool: Pool
) -> None:
    client = await api.admin.made("/oauth-clients", WEB)
    gateway = await api.gateway(slug="work")
    ann = await api.user("Ann")
    await allowed(pool, client["id"], ann.user["id"], gateway["id"])
    path = f"/gateways/{gateway['id']}"

    same = await api.admin.patch(path, {"allowed_clients": [client["client_id"], "https://claude.ai/c.json"]})
    other = await api.admin.patch(path, {"allowed_clients": ["https://claude.ai/c.json"]})

    assert same.json["allowed_clients"] == [client["client_id"], "https://claude.ai/c.json"]
    assert other.status == 200
    async with transaction(pool) as connection:
        told = await connection.fetch("select name from outbox where kind = 'client'")
    assert [row["name"] for row in told] == [client["client_id"]]


async def test_a_gateway_whose_only_client_is_deleted_says_so_and_is_not_usable_while_nobody_has_a_token(
    api: Api, admin: AdminClient, pool: Pool
) -> None:
    client = await admin.made("/oauth-clients", WEB)
    made = await admin.made("/gateways", {"slug": "desk", "name": "Desk", "allowed_clients": [client["client_id"]]})
    path = f"/gateways/{made['id']}"
    await admin.delete(f"/oauth-clients/{client['id']}", match=await admin.etag(f"/oauth-clients/{client['id']}"))
    without = (await admin.get(path)).json
    async with transaction(pool) as connection:
        await seeded.token(connection)
    with_a_token = (await admin.get(path)).json

    told = f"he only OAuth client that it lets in was deleted: {client['client_id']}."
    assert made["warnings"] == []
    assert [told in one for one in without["reasons"] if one.startswith("No way in is open")] == [True]
    assert [told in one for one in with_a_token["warnings"]] == [True]
    assert not any("way in" in one for one in with_a_token["reasons"])
