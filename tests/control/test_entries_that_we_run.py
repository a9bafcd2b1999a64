"""Entries of servers that Archway runs, through the admin API, and what is then to run, on a real PostgreSQL."""

from typing import Any

import pytest

from control.registry.installing import MOST_SERVERS
from control.registry.row_seals import RowSeals
from control.servers import wanting
from control.servers.runtime import Refused
from control.servers.tokens_at_start import TokensAtStart, TokenWanted
from control.servers.wanted import WantedServer
from control.store import wanted_servers
from control.store.pool import transaction
from tests.control.registry_api import Api, api
from tests.fakes.no_renewals import NoRenewals
from tests.fixtures_admin import Answer

__all__ = ["api"]

RUN = {"command": ["npx", "-y", "files@1.0.0", "${user_config.folder}"], "environment": {"MODE": "fast"}}
BARE = {"command": ["npx", "-y", "files@1.0.0"]}
FIELDS = [
    {"name": "folder"},
    {"name": "region", "variable": "REGION", "required": False},
    {"name": "ca", "type": "secret", "file": "ca.pem"},
]
IN_A_VARIABLE = {"credential_model": "static", "credential_placement": {"style": "variable", "variable": "API_KEY"}}
ANSWERS = {"folder": "/data", "ca": "s3cr3t-certificate"}


async def made(api: Api, **changes: Any) -> Any:
    body = {"slug": "files", "name": "Files", "kind": "self_hosted", "run": RUN, **changes}
    return await api.post("/entries", body)


async def installed(api: Api, entry: Any, **changes: Any) -> Any:
    return await api.install(entry, **{"values": ANSWERS, "credential": "s3cr3t-key", **changes})


async def to_run(api: Api, installation: Any) -> WantedServer | None:
    async with transaction(api.pool) as connection:
        found = await wanting.load(connection, RowSeals(api.ring), TokensAtStart(NoRenewals()), installation["id"])
    assert not isinstance(found, TokenWanted)
    return found


async def versions(api: Api) -> dict[str, str]:
    async with transaction(api.pool, readonly=True) as connection:
        return await wanted_servers.versions(connection)


async def test_an_entry_is_shown_as_it_was_given_and_says_what_is_usual(api: Api) -> None:
    entry = await made(api, fields=FIELDS, run_secrets={"TOKEN": "s3cr3t-token"}, **IN_A_VARIABLE)
    assert (entry["kind"], entry["url"], entry["run_secret_names"]) == ("self_hosted", "", ["TOKEN"])
    assert entry["run"]["command"] == RUN["command"]
    assert (entry["run"]["transport"], entry["run"]["resources"]["memory_limit"]) == ("stdio", "")
    assert await api.get(f"/entries/{entry['id']}") == entry
    assert "s3cr3t-token" not in await api.everything_as_text()


async def test_a_remote_entry_says_that_nothing_is_run(api: Api) -> None:
    entry = await api.entry()
    assert (entry["kind"], entry["run"]) == ("remote", None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"run": None}, "run"),
        ({"kind": "remote"}, "run"),
        ({"url": "https://files.example/mcp"}, "url"),
        ({"kind": "remote", "run": None}, "url"),
        ({"kind": "process"}, "kind"),
        ({"run": {"command": []}}, "run.command"),
        ({"run": {"command": "npx files"}}, "run.command"),
        ({"run": {"command": ["npx", "${user_config.folder}"]}}, "run.command[1]"),
        ({"run": {**RUN, "port": 0}}, "run.port"),
        ({"run": {**RUN, "extra": 1}}, "run.extra"),
        ({"run": {**RUN, "environment": {"LD_PRELOAD": "x"}}}, "run.environment[0]"),
        ({"run": {**RUN, "resources": {"memory": "much"}}}, "run.resources.memory"),
        ({"run": {"command": ["npx", "files"], "image": "../x"}}, "run.image"),
        ({"fields": [{"name": "folder", "type": "secret"}]}, "fields[0].type"),
        ({"fields": [{"name": "folder", "default": "--all"}]}, "fields[0].default"),
        ({"fields": [{"name": "folder", "required": False}]}, "fields[0].required"),
        ({"fields": [{"name": "folder"}, {"name": "x", "header": "x-a"}]}, "fields[1].header"),
        ({"fields": [{"name": "folder"}, {"name": "x"}]}, "fields[1].variable"),
        ({"fields": [{"name": "folder"}, {"name": "x", "variable": "MODE"}]}, "fields[1].variable"),
        ({"fields": [{"name": "folder"}, {"name": "x", "variable": "PYTHONPATH"}]}, "fields[1].variable"),
        ({"fields": [{"name": "folder"}, {"name": "x", "variable": "X", "file": "x"}]}, "fields[1].file"),
        ({"fields": [{"name": "folder"}, {"name": "x", "file": "../x"}]}, "fields[1].file"),
        ({"fields": []}, "run.command"),
        ({"fixed_headers": {"x-a": "b"}}, "fixed_headers"),
        ({"credential_model": "static", "credential_placement": {"style": "bearer"}}, "credential_placement.style"),
        ({"credential_model": "oauth"}, "credential_placement.issuer"),
        ({"run_secrets": {"MODE": "x"}}, "run_secrets.MODE"),
        ({"run_secrets": {"PATH": "x"}}, "run_secrets"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, changes: dict[str, Any], field: str) -> None:
    body = {"slug": "files", "name": "Files", "kind": "self_hosted", "run": RUN, "fields": [{"name": "folder"}]}
    answer: Answer = await api.admin.send("POST", "/entries", {**body, **changes})
    assert answer.status == 422, answer.body
    assert [one["field"] for one in answer.json["errors"]] == [field]


async def test_a_remote_server_has_neither_variables_nor_files(api: Api) -> None:
    for changes, field in (
        ({"fields": [{"name": "x", "variable": "X"}]}, "fields[0].variable"),
        ({"run_secrets": {"X": "y"}}, "run_secrets"),
        (IN_A_VARIABLE, "credential_placement.style"),
    ):
        body = {"slug": "time", "name": "Time", "url": "https://time.example/mcp", **changes}
        answer = await api.admin.send("POST", "/entries", body)
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)


async def test_nobody_fills_the_machine_with_servers_of_their_own(api: Api) -> None:
    anna, body = await api.user("anna"), {"entry_id": (await made(api, run=BARE))["id"], "scope": "personal"}
    for number in range(MOST_SERVERS):
        await api.post("/installations", {**body, "name": f"of mine {number}"}, as_=anna)
    refused = await api.post("/installations", {**body, "name": "one more"}, as_=anna, expect=422)
    assert refused["errors"][0]["field"] == "entry_id"


async def test_what_may_be_another_at_each_start_is_told_whenever_the_entry_is_shown(api: Api) -> None:
    entry = await made(api, run={"command": ["uvx", "files"]})
    assert "files==1.2.3" in entry["warnings"][0]
    assert (await api.get(f"/entries/{entry['id']}"))["warnings"] == entry["warnings"]
    assert (await api.patch(f"/entries/{entry['id']}", {"run": {"command": ["uvx", "files==1"]}}))["warnings"] == []


async def test_a_change_of_one_part_leaves_the_others(api: Api) -> None:
    entry = await made(api, fields=FIELDS)
    changed = await api.patch(f"/entries/{entry['id']}", {"run": {"resources": {"memory_limit": "1Gi"}}})
    assert changed["run"]["command"] == RUN["command"]
    assert changed["run"]["resources"] == {**entry["run"]["resources"], "memory_limit": "1Gi"}


async def test_answers_and_secrets_reach_what_is_to_run_and_no_row_shows_them(api: Api) -> None:
    entry = await made(api, fields=FIELDS, run_secrets={"TOKEN": "s3cr3t-token"}, **IN_A_VARIABLE)
    installation = await installed(api, entry)
    found = await to_run(api, installation)
    assert found is not None
    assert found.command == ("npx", "-y", "files@1.0.0", "/data")
    assert found.environment == {"MODE": "fast"}
    assert found.secret_environment == {"TOKEN": "s3cr3t-token", "API_KEY": "s3cr3t-key"}
    assert found.files == {"ca.pem": "s3cr3t-certificate"}
    assert "s3cr3t" not in await api.everything_as_text()


async def test_the_token_of_a_bridge_is_made_once_and_kept(api: Api) -> None:
    installation = await installed(api, await made(api, fields=FIELDS, **IN_A_VARIABLE))
    first, again = await to_run(api, installation), await to_run(api, installation)
    assert first is not None
    assert first.bridge_token
    assert first == again


async def test_secrets_that_are_given_again_are_for_what_runs(api: Api) -> None:
    installation = await installed(api, await made(api, fields=FIELDS, **IN_A_VARIABLE))
    after = await api.patch(f"/installations/{installation['id']}", {"credential": "s3cr3t-newer"})
    assert after["bound_url"] == "run:base npx -y files@1.0.0 /data"
    found = await to_run(api, installation)
    assert found is not None
    assert found.secret_environment["API_KEY"] == "s3cr3t-newer"


async def test_another_command_asks_for_the_secrets_again_and_the_former_one_does_not(api: Api) -> None:
    entry = await made(api, fields=FIELDS, **IN_A_VARIABLE)
    installation = await installed(api, entry)
    path, other = f"/entries/{entry['id']}", ["npx", "-y", "evil@1.0.0", "${user_config.folder}"]
    await api.patch(path, {"run": {"command": other}})
    after = await api.get(f"/installations/{installation['id']}")
    assert after["state"] == "needs_sign_in"
    assert "another image or command" in after["state_reason"]
    with pytest.raises(Refused, match="configuration: Its secrets were given for something else"):
        await to_run(api, installation)
    await api.patch(path, {"run": {"command": RUN["command"]}})
    assert (await api.get(f"/installations/{installation['id']}"))["state"] == "new"
    assert await to_run(api, installation) is not None


async def test_another_answer_in_the_command_asks_for_the_secrets_again(api: Api) -> None:
    installation = await installed(api, await made(api, fields=FIELDS, **IN_A_VARIABLE))
    path = f"/installations/{installation['id']}"
    answer = await api.admin.send("PATCH", path, {"values": {"folder": "/etc"}}, match=await api.admin.etag(path))
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "values.ca")
    assert "needed again" in answer.json["errors"][0]["message"]


async def test_the_entrys_own_secrets_do_not_follow_it_to_another_command(api: Api) -> None:
    entry = await made(api, fields=[{"name": "folder"}], run_secrets={"TOKEN": "s3cr3t-token"})
    path, other = f"/entries/{entry['id']}", {"command": ["npx", "evil", "${user_config.folder}"]}
    answer = await api.admin.send("PATCH", path, {"run": other}, match=await api.admin.etag(path))
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "run_secrets")
    await api.patch(path, {"run": other, "run_secrets": {"TOKEN": "s3cr3t-other"}})


async def test_resources_change_without_a_new_discovery_and_are_to_run_all_the_same(api: Api) -> None:
    entry = await made(api, fields=FIELDS, **IN_A_VARIABLE)
    installation = await installed(api, entry)
    before, word = await to_run(api, installation), (await versions(api))[installation["id"]]
    await api.patch(f"/entries/{entry['id']}", {"run": {"resources": {"memory_limit": "1Gi"}}})
    after = await to_run(api, installation)
    assert before is not None
    assert after is not None
    assert after.resources.memory_limit == "1Gi"
    assert after.generation > before.generation
    assert (await versions(api))[installation["id"]] != word


async def test_an_entry_that_comes_to_run_elsewhere_runs_here_no_more(api: Api) -> None:
    entry = await made(api, fields=[{"name": "folder"}])
    installation = await api.install(entry, values={"folder": "/data"})
    assert installation["id"] in await versions(api)
    moved = {"kind": "remote", "url": "https://files.example/mcp", "fields": []}
    changed = await api.patch(f"/entries/{entry['id']}", moved)
    assert (changed["kind"], changed["run"]) == ("remote", None)
    assert await to_run(api, installation) is None
    assert installation["id"] not in await versions(api)


async def test_an_answer_that_would_be_an_option_is_refused_and_not_repeated(api: Api) -> None:
    entry = await made(api, fields=[{"name": "folder"}])
    body = {"entry_id": entry["id"], "scope": "organisation", "values": {"folder": "--config=/etc/passwd"}}
    answer = await api.admin.send("POST", "/installations", body)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "values.folder")
    assert "/etc/passwd" not in answer.body.decode()
