"""What the admin API says of the deployment as a whole."""

from core.our_version import VERSION
from tests.control.registry_api import Api, api

__all__ = ["api"]


async def test_an_admin_sees_the_version_the_address_of_gateways_and_how_much_there_is(api: Api) -> None:
    entry = await api.entry()
    await api.install(entry)
    team, _ = await api.team("Support"), await api.user("anna")
    await api.install(entry, scope="team", team_id=team["id"])
    await api.assign(await api.gateway(), entry)
    shown = await api.get("/deployment")
    assert shown["version"] == VERSION
    assert shown["public_url"].startswith("http")
    assert not shown["public_url"].endswith("/")
    assert {name: shown["counts"][name] for name in ("teams", "entries", "gateways", "assignments")} == {
        "teams": 1, "entries": 1, "gateways": 1, "assignments": 2,
    }  # fmt: skip
    assert (shown["counts"]["installations"], shown["counts"]["installations_ready"]) == (2, 2)
    assert shown["counts"]["users"] == len((await api.get("/users"))["items"])


async def test_a_revoked_token_and_a_disabled_user_are_not_counted(api: Api) -> None:
    before = (await api.get("/deployment"))["counts"]
    anna = await api.user("anna")
    during = (await api.get("/deployment"))["counts"]
    assert (during["users"], during["tokens"]) == (before["users"] + 1, before["tokens"] + 1)
    token = next(one for one in (await api.get("/tokens"))["items"] if one["user_id"] == anna.user["id"])
    await api.post(f"/tokens/{token['id']}/revoke", expect=200)
    await api.post(f"/users/{anna.user['id']}/disable", expect=200)
    after = (await api.get("/deployment"))["counts"]
    assert (after["users"], after["tokens"]) == (before["users"], before["tokens"])


async def test_who_is_no_admin_sees_the_numbers_of_what_their_lists_show(api: Api) -> None:
    red, blue = await api.team("Red"), await api.team("Blue")
    anna, bob = await api.user("Anna", red), await api.user("Bob", blue)
    ours = await api.entry()
    for team in (red, blue):
        own = await api.entry(slug=f"of-{team['name'].lower()}", team_id=team["id"])
        await api.install(own, scope="team", team_id=team["id"])
        gateway = await api.gateway(slug=team["name"].lower(), visibility="teams", teams=[team["id"]])
        await api.assign(gateway, own)
    for person in (anna, bob):
        await api.install(ours, as_=person, scope="personal")
        mine = await api.gateway(as_=person, slug=f"of-{person.user['id']}", visibility="personal")
        await api.assign(mine, ours, as_=person)
    shown = await api.get("/deployment", as_=anna)
    listed = {
        name: len(await anna.items(f"/{name}"))
        for name in ("teams", "tokens", "entries", "installations", "gateways")
    }
    assert listed == {"teams": 1, "tokens": 1, "entries": 2, "installations": 2, "gateways": 2}
    assert shown["counts"] == {**listed, "users": 1, "installations_ready": 2, "assignments": 4}
    assert shown["version"] == VERSION
