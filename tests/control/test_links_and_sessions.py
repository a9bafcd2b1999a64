"""Links that sign a person in, and browser sessions, through the admin API."""

from __future__ import annotations

from control.registry.browser_session import BrowserSession
from control.sign_in.session import begin, session_by
from control.store.pool import Pool, transaction
from tests.control.registry_api import Api, api
from tests.fixtures_people import People

__all__ = ["api"]


async def a_session(pool: Pool, user_id: str) -> tuple[str, BrowserSession]:
    async with transaction(pool) as connection:
        return await begin(connection, user_id, method="password", address="192.0.2.1", agent="Firefox")


async def holds(pool: Pool, secret: str) -> bool:
    async with transaction(pool) as connection:
        return await session_by(connection, secret) is not None


async def test_an_invitation_of_an_admin_lets_its_person_in(api: Api, people: People) -> None:
    ann = await api.post("/users", {"name": "Ann", "email": "ann@example.com"})
    made = await api.post(f"/users/{ann['id']}/links", {})
    assert (made["purpose"], made["state"], made["created_by"]) == ("invitation", "open", api.admin.user["id"])
    base, _, secret = made["url"].rpartition("/")
    assert base == "https://tools.example.com/sign-in/link"
    browser = await people.browser()
    assert (
        await browser.fill_in(
            f"/sign-in/link/{secret}", password="four words I choose", repeated="four words I choose"
        )
    ).status == 303
    (listed,) = (await api.get(f"/users/{ann['id']}/links"))["items"]
    assert (listed["id"], listed["state"]) == (made["id"], "used")
    assert secret not in await api.everything_as_text()


async def test_a_link_that_is_taken_back_is_off_the_list_and_closed(api: Api, people: People) -> None:
    ann = await api.post("/users", {"name": "Ann", "email": "ann@example.com"})
    made = await api.post(f"/users/{ann['id']}/links", {"purpose": "reset"})
    await api.call("DELETE", f"/users/{ann['id']}/links/{made['id']}", expect=204)
    assert (await api.get(f"/users/{ann['id']}/links"))["items"] == []
    secret = made["url"].rpartition("/")[2]
    assert (await (await people.browser()).get(f"/sign-in/link/{secret}")).status == 410
    await api.call("DELETE", f"/users/{ann['id']}/links/{made['id']}", expect=404)


async def test_a_way_in_without_a_password_is_the_runs_own_admins(api: Api, people: People) -> None:
    admin = api.admin.user["id"]
    made = await api.post(f"/users/{admin}/links", {"purpose": "sign_in"})
    browser = await people.browser()
    assert (await browser.fill_in("/sign-in/link/" + made["url"].rpartition("/")[2])).status == 303
    ann = await api.post("/users", {"name": "Ann", "email": "ann@example.com"})
    refused = await api.post(f"/users/{ann['id']}/links", {"purpose": "sign_in"}, expect=422)
    assert refused["errors"][0]["field"] == "purpose"


async def test_an_api_token_that_ends_makes_no_link(api: Api) -> None:
    boss = await api.admin.as_new_user("Boss", "admin")
    ending = await api.post(
        "/tokens",
        {"name": "t", "use": "api", "user_id": boss.user["id"], "expires_at": "2100-01-01T00:00:00Z"},
    )
    body = {"purpose": "reset"}
    path = f"/users/{boss.user['id']}/links"
    await api.post(path, body, as_=boss)
    await api.post(path, body, as_=api.admin.bearing(ending["secret"]), expect=403)


async def test_people_see_and_end_their_own_sessions_and_admins_all(api: Api, pool: Pool) -> None:
    ann, bea = await api.user("Ann"), await api.user("Bea")
    hers, (_, his) = await a_session(pool, ann.user["id"]), await a_session(pool, bea.user["id"])
    (mine,) = (await api.get("/sessions", as_=ann))["items"]
    assert (mine["id"], mine["user_id"], mine["agent"]) == (hers[1].id, ann.user["id"], "Firefox")
    assert hers[1].csrf not in str(mine)
    assert await api.get(f"/sessions/{hers[1].id}", as_=ann) == mine
    for path in (f"/sessions?user_id={bea.user['id']}", f"/sessions/{his.id}"):
        await api.get(path, as_=ann, expect=404)
    assert {one["id"] for one in (await api.get("/sessions"))["items"]} == {hers[1].id, his.id}
    assert [one["id"] for one in (await api.get(f"/sessions?user_id={bea.user['id']}"))["items"]] == [his.id]
    await api.call("DELETE", f"/sessions/{his.id}", expect=404, as_=ann)
    await api.call("DELETE", f"/sessions/{hers[1].id}", expect=204, as_=ann)
    assert not await holds(pool, hers[0])
    await api.call("DELETE", f"/sessions/{his.id}", expect=204)


async def test_all_sessions_of_a_person_end_at_once(api: Api, pool: Pool) -> None:
    ann, bea = await api.user("Ann"), await api.user("Bea")
    secrets = [(await a_session(pool, ann.user["id"]))[0] for _ in range(3)]
    await api.post(f"/users/{ann.user['id']}/end-sessions", as_=bea, expect=404)
    assert await api.post(f"/users/{ann.user['id']}/end-sessions", as_=ann, expect=200) == {"ended": 3}
    assert not any([await holds(pool, secret) for secret in secrets])
    assert await api.post(f"/users/{ann.user['id']}/end-sessions", expect=200) == {"ended": 0}


async def test_lists_of_sessions_come_in_pages(api: Api, pool: Pool) -> None:
    ann = await api.user("Ann")
    made = [(await a_session(pool, ann.user["id"]))[1].id for _ in range(5)]
    first = await api.get("/sessions?limit=3", as_=ann)
    rest = await api.get(f"/sessions?limit=3&cursor={first['next']}", as_=ann)
    assert [one["id"] for one in (*first["items"], *rest["items"])] == made[::-1]
    assert rest["next"] is None
