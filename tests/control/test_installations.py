"""Installations through the admin API: who may fill in what, where secrets stay, and what discovery makes of them."""

import pytest

from control.registry.row_seals import RowSeals
from control.store import installations
from control.store.migrate import FOLDER
from control.store.pool import transaction
from core.identifiers import new_id
from core.probes import Probe
from tests.control.registry_api import Api, api
from tests.fakes.registry import an_entry

__all__ = ["api"]

STATIC = {"credential_model": "static", "credential_placement": {"style": "bearer"}}
KEY = "s3cr3t-key-of-the-clock"


async def test_an_installation_is_discovered_in_the_request_that_makes_it(api: Api) -> None:
    entry = await api.entry()
    made = await api.install(entry)
    assert (made["state"], made["name"], made["scope"]) == ("ready", "Time", "organisation")
    assert made["server"]["tools"] == 2
    assert {tool["name"] for tool in (await api.get(f"/entries/{entry['id']}/tools"))["items"]} == {"now", "convert"}


async def test_an_installation_of_an_unreachable_server_is_kept_with_the_reason(api: Api) -> None:
    api.proxy.answer = Probe(fault="upstream_refused", sentence="time cannot be reached.")
    made = await api.install(await api.entry())
    assert (made["state"], made["state_reason"]) == ("unreachable", "time cannot be reached.")
    api.proxy.offers("now")
    again = await api.post(f"/installations/{made['id']}/discover", expect=200)
    assert (again["state"], again["state_reason"]) == ("ready", "")


async def test_what_a_server_lists_and_must_not_is_left_out_with_the_reason(api: Api) -> None:
    api.proxy.offers("now", "odd")
    tools: list[dict[str, object]] = api.proxy.answer.tools
    tools[1]["inputSchema"] = {"type": "object", "properties": []}
    made = await api.install(await api.entry())
    (left_out,) = made["server"]["rejected"]
    assert left_out["name"] == "odd"
    assert left_out["reason"] == "Its inputSchema.properties should be an object, not a list."


async def test_secrets_are_sealed_at_rest_and_never_returned(api: Api) -> None:
    entry = await api.entry(**STATIC, fields=[{"name": "pin", "type": "secret", "header": "x-pin"}])
    made = await api.install(entry, credential=KEY, values={"pin": "s3cr3t-pin"})
    assert made["secret_names"] == ["credential", "pin"]
    shown = str(made) + str(await api.get("/installations")) + str(await api.get("/audit"))
    for secret in (KEY, "s3cr3t-pin"):
        assert secret not in shown + await api.everything_as_text()
    async with transaction(api.pool, readonly=True) as connection:
        installation = await installations.one(connection, made["id"])
    assert installation is not None
    opened = RowSeals(api.ring).open(an_entry(), installation)
    assert opened.values == {"credential": KEY, "pin": "s3cr3t-pin"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "credential"),
        ({"credential": "Bearer abc"}, "credential"),
        ({"credential": "two\nlines"}, "credential"),
        ({"credential": KEY, "values": {"limit": "ten"}}, "values.limit"),
        ({"credential": KEY, "values": {"region": "mars"}}, "values.region"),
        ({"credential": KEY, "values": {"unknown": "x"}}, "values.unknown"),
        ({"credential": KEY, "scope": "team"}, "team_id"),
        ({"credential": KEY, "scope": "everybody"}, "scope"),
        ({"credential": KEY, "team_id": new_id()}, "team_id"),
        ({"credential": KEY, "protocol": "2031-01-01"}, "protocol"),
        ({"credential": KEY, "protocol": "modern"}, "protocol"),
        ({"credential": KEY, "entry_id": new_id()}, "entry_id"),
    ],
)
async def test_a_wrong_answer_names_its_field_and_does_not_repeat_the_secret(
    api: Api, body: dict[str, object], field: str
) -> None:
    fields = [
        {"name": "limit", "type": "number", "header": "x-limit", "default": 5},
        {"name": "region", "type": "select", "header": "x-region", "options": ["eu", "us"], "required": False},
    ]
    entry = await api.entry(**STATIC, fields=fields)
    problem = await api.install(entry, **body, expect=422)
    assert problem["errors"][0]["field"] == field
    assert KEY not in str(problem)
    assert "two\\nlines" not in str(problem)


async def test_answers_reach_the_server_as_headers(api: Api) -> None:
    fields = [
        {"name": "account", "header": "X-Account"},
        {"name": "limit", "type": "number", "header": "x-limit", "default": 5},
    ]
    await api.install(await api.entry(**STATIC, fields=fields), credential=KEY, values={"account": "acme"})
    assert api.proxy.questions[-1].installation.credential_headers == [
        ("x-account", "acme"),
        ("x-limit", "5"),
        ("authorization", f"Bearer {KEY}"),
    ]


async def test_an_entry_without_credential_takes_none(api: Api) -> None:
    problem = await api.install(await api.entry(), credential=KEY, expect=422)
    assert problem["errors"][0]["field"] == "credential"


async def test_a_personal_installation_is_the_callers_own_and_nobody_elses(api: Api) -> None:
    entry = await api.entry(**STATIC)
    anna, ben = await api.user("anna"), await api.user("ben")
    hers = await api.install(entry, as_=anna, scope="personal", credential=KEY)
    assert hers["user_id"] == anna.user["id"]
    path = f"/installations/{hers['id']}"
    await api.get(path, as_=ben, expect=404)
    assert (await api.get("/installations", as_=ben))["items"] == []
    assert [one["id"] for one in (await api.get("/installations", as_=anna))["items"]] == [hers["id"]]
    await api.patch(path, {"credential": "theft"}, as_=ben, expect=404)
    await api.delete(path, as_=ben, expect=404)
    await api.install(entry, as_=anna, scope="personal", credential=KEY, expect=409)


async def test_not_even_an_admin_fills_in_another_persons_credential(api: Api) -> None:
    anna = await api.user("anna")
    hers = await api.install(await api.entry(**STATIC), as_=anna, scope="personal", credential=KEY)
    await api.patch(f"/installations/{hers['id']}", {"credential": "mine"}, expect=403)
    await api.delete(f"/installations/{hers['id']}")


async def test_a_teams_installation_needs_an_admin_of_that_team(api: Api) -> None:
    entry = await api.entry(**STATIC)
    blue, red = await api.team("blue"), await api.team("red")
    member, lead = await api.user("anna", blue), await api.user("lena", blue, role="admin")
    asked = {"scope": "team", "team_id": blue["id"], "credential": KEY}
    await api.install(entry, as_=member, **asked, expect=403)
    made = await api.install(entry, as_=lead, **asked)
    await api.install(entry, as_=lead, **{**asked, "team_id": red["id"]}, expect=403)
    path = f"/installations/{made['id']}"
    assert (await api.get(path, as_=member))["secret_names"] == ["credential"]
    await api.patch(path, {"credential": "x"}, as_=member, expect=403)
    await api.post(f"{path}/discover", as_=member, expect=403)
    assert (await api.patch(path, {"credential": "n3w"}, as_=lead))["credential_version"] == 2


async def test_the_organisations_installation_needs_an_admin(api: Api) -> None:
    entry = await api.entry()
    anna = await api.user("anna")
    await api.install(entry, as_=anna, expect=403)
    made = await api.install(entry)
    assert (await api.get(f"/installations/{made['id']}", as_=anna))["id"] == made["id"]
    await api.patch(f"/installations/{made['id']}", {"name": "x"}, as_=anna, expect=403)


async def test_an_entry_that_the_caller_may_not_see_cannot_be_installed(api: Api) -> None:
    blue = await api.team("blue")
    entry = await api.entry(visibility="teams", teams=[blue["id"]])
    problem = await api.install(entry, as_=await api.user("ben"), scope="personal", expect=422)
    assert problem["errors"][0]["field"] == "entry_id"


async def test_new_secrets_raise_the_credential_version_and_tell_the_proxies(api: Api) -> None:
    made = await api.install(await api.entry(**STATIC), credential=KEY)
    await api.events()
    changed = await api.patch(f"/installations/{made['id']}", {"credential": "n3w"})
    assert changed["credential_version"] == made["credential_version"] + 1
    assert await api.events() == [("installation", made["id"])] * 2  # the change, and the discovery that followed
    line = (await api.get(f"/audit?object_id={made['id']}"))["items"][0]
    assert line["after"]["secrets_given"] == ["credential"]
    assert "n3w" not in str(line)


async def test_a_change_keeps_the_answers_that_it_does_not_name(api: Api) -> None:
    fields = [{"name": "account", "header": "x-account"}, {"name": "pin", "type": "secret", "header": "x-pin"}]
    entry = await api.entry(**STATIC, fields=fields)
    made = await api.install(entry, credential=KEY, values={"account": "acme", "pin": "1234"})
    changed = await api.patch(f"/installations/{made['id']}", {"values": {"account": "globex"}})
    assert changed["plain_values"] == {"account": "globex"}
    assert ("x-pin", "1234") in api.proxy.questions[-1].installation.credential_headers
    problem = await api.patch(f"/installations/{made['id']}", {"values": {"pin": None}}, expect=422)
    assert problem["errors"][0]["field"] == "values.pin"


async def test_after_a_move_the_old_secrets_are_not_carried_over(api: Api) -> None:
    entry = await api.entry(**STATIC, fields=[{"name": "pin", "type": "secret", "header": "x-pin"}])
    made = await api.install(entry, credential=KEY, values={"pin": "1234"})
    await api.patch(f"/entries/{entry['id']}", {"url": "https://elsewhere.example/mcp"})
    problem = await api.patch(f"/installations/{made['id']}", {"credential": "n3w"}, expect=422)
    assert problem["errors"][0]["field"] == "values.pin"


async def test_the_protocol_can_be_pinned_and_is_asked_so(api: Api) -> None:
    made = await api.install(await api.entry(), protocol="legacy")
    assert api.proxy.questions[-1].installation.protocol == "legacy"
    await api.patch(f"/installations/{made['id']}", {"protocol": "2026-07-28"})
    assert api.proxy.questions[-1].installation.protocol == "2026-07-28"


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_the_protocol_can_be_pinned_to_a_legacy_revision_and_back(api: Api, revision: str) -> None:
    made = await api.install(await api.entry(), protocol=revision)
    assert made["protocol"] == revision
    asked = api.proxy.questions[-1].installation
    assert (asked.protocol, asked.revision) == ("legacy", revision)
    await api.patch(f"/installations/{made['id']}", {"protocol": "auto"})
    asked = api.proxy.questions[-1].installation
    assert (asked.protocol, asked.revision) == ("auto", "")


async def test_a_new_name_asks_no_server(api: Api) -> None:
    made = await api.install(await api.entry())
    asked = len(api.proxy.questions)
    assert (await api.patch(f"/installations/{made['id']}", {"name": "Clock"}))["name"] == "Clock"
    assert len(api.proxy.questions) == asked


async def test_one_that_is_pinned_is_not_deleted_unless_its_assignments_may_go(api: Api) -> None:
    entry = await api.entry()
    made = await api.install(entry)
    gateway = await api.gateway()
    await api.assign(gateway, entry, installation=made["id"])
    problem = await api.delete(f"/installations/{made['id']}", expect=409)
    assert "2 tools on the gateway 'desk'" in problem["detail"]
    await api.events()
    await api.delete(f"/installations/{made['id']}?cascade=true")
    assert (await api.get(f"/gateways/{gateway['id']}/assignments"))["items"] == []
    assert set(await api.events()) == {("installation", made["id"]), ("gateway", gateway["id"])}


async def test_the_organisation_installs_an_entry_twice_only_under_another_name(api: Api) -> None:
    entry = await api.entry()
    first = await api.install(entry)
    problem = await api.install(entry, name="TIME", expect=409)
    assert [one["field"] for one in problem["errors"]] == ["name"]
    assert first["id"] in problem["detail"]
    second = await api.install(entry, name="Time of the laboratory")
    await api.patch(f"/installations/{second['id']}", {"name": "time"}, expect=409)
    ann = await api.user("ann")
    await api.install(entry, scope="personal", as_=ann)
    await api.install(await api.entry(slug="time-too"))


async def test_installations_that_shared_a_name_before_are_told_apart_by_the_migration(api: Api) -> None:
    await api.install(await api.entry(), name="n" * 128)
    migration = (FOLDER / "0003_one_name_and_stale_copies.sql").read_text()
    async with transaction(api.pool) as connection:
        await connection.execute("drop index installations_one_name")
        await connection.execute("drop table stale_copies")
        await connection.execute(
            "insert into installations (id, entry_id, name, scope, bound_origin) "
            "select gen_random_uuid(), entry_id, upper(name), scope, bound_origin from installations"
        )
        await connection.execute(migration)
        rows = await connection.fetch("select name from installations")
    assert len({row["name"].lower() for row in rows}) == 2
    assert all(len(row["name"]) <= 128 for row in rows)


async def test_installations_are_found_by_their_state(api: Api) -> None:
    entry = await api.entry()
    made = await api.install(entry)
    assert [one["id"] for one in (await api.get("/installations?state=ready"))["items"]] == [made["id"]]
    assert (await api.get("/installations?state=unreachable"))["items"] == []
    await api.get("/installations?state=fine", expect=422)
