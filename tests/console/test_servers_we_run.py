"""Pages of servers that Archway runs: described, followed, why they do not run, what they write, started again."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any

import pytest

from control.changes import environments, idle_servers, server_states
from control.changes.write import changing
from control.registry.egress import Egress
from control.registry.enforcement import Enforcement
from control.registry.entry import Entry
from control.registry.environment import NewEnvironment
from control.registry.installation import Installation
from control.registry.self_hosted import SelfHosted
from control.registry.server_state import Phase, ServerState
from control.store import enforcement, entries
from control.store.pool import Pool, transaction
from tests.console.registry_seeds import SECRET, an_entry, an_installation, kept
from tests.console.serving import MAKER, Console, console_served, reading
from tests.fakes.logged_runtime import LoggedRuntime
from tests.fixtures_redis import RedisServer

WITHIN_S = 30.0
OURS = SelfHosted(command=("npx", "-y", "some-server@1.2.3"))


@pytest.fixture
def runtime() -> LoggedRuntime:
    return LoggedRuntime("cluster")


@pytest.fixture
async def running(pool: Pool, redis_server: RedisServer, runtime: LoggedRuntime) -> AsyncIterator[Console]:
    """A console of a deployment that runs servers."""
    async with console_served(pool, redis_server.url, runtime) as served:
        yield served


async def ours(console: Console, **changes: Any) -> tuple[Entry, Installation]:
    entry = await an_entry(console, "files", reached=OURS, **changes)
    return entry, await an_installation(console, entry)


async def reported(console: Console, installation: Installation, phase: Phase, **told: Any) -> None:
    """What its runtime says of it."""
    usual: dict[str, Any] = {"place": "cluster", "generation": 1}
    async with changing(console.pool, MAKER) as write:
        state = ServerState(installation_id=installation.id, phase=phase, **usual | told)
        assert await server_states.keep(write, state)


def filled(**changes: str) -> dict[str, str]:
    """The form of an entry that we run, as somebody fills it."""
    return {
        "name": "Files", "slug": "files", "kind": "self_hosted", "url": "", "description": "", "docs_url": "",
        "labels": "", "credential_model": "none", "visibility": "organisation", "isolation": "principal",
        "deadline_s": "", "passthrough": "true", "run.transport": "stdio", "run.image": "",
        "run.command": "npx -y some-server@1.2.3 ${user_config.folder}", "run.port": "8080", "run.path": "/mcp",
        "run.health_path": "", "run.idle_minutes": "60", "run.environment": "LOG_LEVEL=debug",
        "run.resources.cpu": "10m",
        "run.resources.memory": "128Mi", "run.resources.memory_limit": "512Mi", "run.resources.cpu_limit": "",
        "run_secrets[0].name": "SHARED_KEY", "run_secrets[0].value": SECRET, "run_secrets[1].name": "ca.pem",
        "run_secrets[1].value": SECRET, "run_secrets[1].file": "true",
        "fields[0].name": "folder", "fields[0].type": "string", "fields[0].title": "Folder",
        "fields[0].required": "true", "fields[0].default": "/data",
        "fields[1].name": "token", "fields[1].type": "secret", "fields[1].variable": "TOKEN",
        "fields[1].required": "true", "fields[2].name": "key", "fields[2].type": "secret",
        "fields[2].file": "key.pem", "fields[2].required": "true",
    } | changes  # fmt: skip


async def test_its_page_says_what_it_may_reach_and_whether_that_holds(running: Console) -> None:
    async with changing(running.pool, MAKER) as write:
        wanted = NewEnvironment(name="Production", egress=Egress(mode="off"))
        inside = await environments.create(write, running.deps.safeguards, wanted)
    _, installation = await ours(running, environment_id=inside.id)
    await reported(running, installation, "ready", endpoint="http://10.0.0.9:8080/mcp")
    async with reading(running, await running.person("Ed", "admin")) as reader:
        page = f"/installations/{installation.id}"
        assert re.search("May reach.*nothing but DNS.*not known", (await reader.get(page))[1], re.DOTALL)
        probed = Enforcement(kind="off", state="enforced", reason="What is denied did not answer.")
        async with transaction(running.pool) as connection:
            await enforcement.keep(connection, inside.id, [probed], "of this policy")
        text = (await reader.get(page))[1]
        assert re.search("May reach.*enforced.*What is denied did not answer", text, re.DOTALL)


async def saved(console: Console) -> Entry:
    async with transaction(console.pool, readonly=True) as connection:
        found = await entries.by_slug(connection, "files")
    assert found is not None
    return found


async def test_an_entry_that_we_run_is_added_with_all_that_was_typed_and_no_secret_comes_back(
    running: Console,
) -> None:
    async with reading(running, await running.person("Ed", "admin")) as reader:
        status, text, where = await reader.post("/registry/new", **filled())
        assert status == 303, text
        made = await saved(running)
        assert where == f"/registry/{made.id}?said=entry-made"
        assert isinstance(made.reached, SelfHosted)
        assert made.reached.command == ("npx", "-y", "some-server@1.2.3", "${user_config.folder}")
        assert made.reached.idle_minutes == 60
        assert (made.reached.environment, made.reached.mounted) == ({"LOG_LEVEL": "debug"}, ("ca.pem",))
        assert set(made.run_secret_names) == {"SHARED_KEY", "ca.pem"}
        assert [(one.name, one.variable, one.file) for one in made.fields] == [
            ("folder", "", ""), ("token", "TOKEN", ""), ("key", "", "key.pem"),
        ]  # fmt: skip
        for path in ("", "/change", "/install"):
            status, text = await reader.get(f"/registry/{made.id}{path}")
            assert status == 200
            assert SECRET not in unescape(text), path
        _, text = await reader.get(f"/registry/{made.id}")
        assert "npx -y some-server@1.2.3 ${user_config.folder}</code>" in unescape(text)
        _, text = await reader.get(f"/registry/{made.id}/install")
        assert "Given to the server as the variable TOKEN." in text


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"run.command": ""}, "run.command", "Command is needed with the base image"),
        ({"run.command": "npx 'a"}, "run.command", "Command has a quotation mark"),
        ({"run.command": "npx --x=${user_config.folder}"}, "run.command", "it must be the whole argument"),
        ({"run.image": "No Image"}, "run.image", "Image "),
        ({"run.transport": "http", "run.port": "80"}, "run.port", "Port must be 1024 to 65535"),
        ({"run.transport": "http", "run.path": "mcp"}, "run.path", "Path must be a path"),
        ({"run.idle_minutes": "4"}, "run.idle_minutes", "without a call must be 5 to 10080"),
        ({"run.environment": "PATH=/bin"}, "run.environment", "Variables PATH is set by Archway"),
        ({"run.resources.memory_limit": "much"}, "run.resources.memory_limit", "Memory, at most "),
        ({"run_secrets[0].name": "LD_PRELOAD"}, "run_secrets[0].name", "loads code into every program"),
        ({"fields[1].variable": "LOG_LEVEL"}, "fields[1].variable", "is already filled by"),
        ({"fields[2].file": "../key"}, "fields[2].file", "File must be the name of a file"),
        ({"fields[0].name": "other"}, "fields[0].variable", "the command needs ${user_config.other}"),
    ],
)  # fmt: skip
async def test_what_is_wrong_comes_back_at_its_field_with_the_rest_and_without_secrets(
    running: Console, changes: dict[str, str], field: str, sentence: str
) -> None:
    async with reading(running, await running.person("Ed", "admin")) as reader:
        status, text, _ = await reader.post("/registry/new", **filled(**changes))
    text = unescape(text)
    assert status == 422
    assert sentence in text
    assert f'aria-describedby="{field}-error' in text
    assert 'value="Files"' in text
    assert SECRET not in text


async def test_a_change_keeps_what_is_sealed_and_names_what_was_moved(running: Console) -> None:
    async with reading(running, await running.person("Ed", "admin")) as reader:
        await reader.post("/registry/new", **filled())
        entry = await saved(running)
        form = {name: text for name, text in filled().items() if not name.startswith("run_secrets")}
        path = f"/registry/{entry.id}/change"
        _, text = await reader.get(path)
        assert "SHARED_KEY" in text
        status, text, where = await reader.post(path, **form | {"name": "Ours", "version": str(entry.version)})
        assert (status, where) == (303, f"/registry/{entry.id}?said=entry-changed"), text
        now = await saved(running)
        assert (now.name, now.run_secret_names) == ("Ours", entry.run_secret_names)
        assert isinstance(now.reached, SelfHosted)
        assert now.reached.mounted == ("ca.pem",)
        other = {"run.command": "npx other ${user_config.folder}"}
        status, text, _ = await reader.post(path, **form | other | {"version": str(now.version)})
        assert (status, "Its secrets were given for run:base" in text, "run_secrets were" in text) == (
            422,
            True,
            False,
        )
        other |= {"run_secrets_none": "true"}
        _, text, where = await reader.post(path, **form | other | {"version": str(now.version)})
        assert where.endswith("entry-moved"), text
        assert (await saved(running)).run_secret_names == ()


async def test_a_package_without_a_version_is_told_of_its_entry(running: Console) -> None:
    loose = await an_entry(running, "loose", reached=SelfHosted(command=("uvx", "some-server")))
    entry, _ = await ours(running)
    async with reading(running, await running.person("Ed", "editor")) as reader:
        assert "The package some-server has no exact version" in (await reader.get(f"/registry/{loose.id}"))[1]
        assert "no exact version" not in (await reader.get(f"/registry/{entry.id}"))[1]


async def test_one_that_is_asleep_says_so_with_when_it_was_called_and_how_often_it_was_woken(
    running: Console,
) -> None:
    _, installation = await ours(running)
    await reported(running, installation, "asleep")
    async with changing(running.pool, MAKER) as write:
        await idle_servers.use(write, installation.id)
        await write.execute("update idle_servers set asleep_since = now(), wakes = 3")
        await write.announce()
        write.observed()
    async with reading(running, await running.person("Ann", "admin")) as reader:
        _, text = await reader.get(f"/installations/{installation.id}")
    assert "asleep</span>" in text
    assert "The next call starts it" in text
    assert "Last called" in text
    assert "3 times" in text


async def test_where_nothing_runs_servers_the_form_says_so_with_the_cure_and_remote_ones_are_as_before(
    console: Console,
) -> None:
    entry, installation = await ours(console)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, text = await reader.get("/registry/new")
        assert "Nothing runs servers here yet" in text
        assert "<code>ARCHWAY_RUNTIME</code>" in text
        assert 'id="url"' in text
        _, text = await reader.get(f"/installations/{installation.id}")
        assert "Nothing here runs it." in text
        assert "set ARCHWAY_RUNTIME to process or cluster" in text
        assert (await reader.get(f"/registry/{entry.id}"))[0] == 200


@pytest.mark.parametrize(("role", "told"), [("editor", True), ("admin", False)])
async def test_who_may_not_say_what_a_server_starts_is_told_before_they_fill_the_form(
    running: Console, role: str, told: bool
) -> None:
    async with reading(running, await running.person("Ed", role)) as reader:
        assert ("needs <code>entry:run</code>" in (await reader.get("/registry/new"))[1]) is told


FAILURES: tuple[tuple[Phase, str, str, str, str], ...] = (
    ("pulling", "image_pull", "not found: manifest unknown", "Its image cannot be pulled.", "pull secrets is good"),
    ("failed", "image_name", "couldn't parse image name", "The name of its image is none.", "Correct the image"),
    ("failed", "secret_missing", 'secret "x" not found', "A secret that it needs at its start", "Restart"),
    ("pending", "unschedulable", "0/3 nodes: Insufficient memory", "No machine of the cluster has", "add a node"),
    (
        "failed",
        "refused_by_cluster",
        "violates PodSecurity",
        "The cluster does not take it.",
        "names the rule or quota",
    ),
    (
        "failed",
        "crashed",
        "Error: TOKEN is not set",
        "Its program ends again and again.",
        "the log of the run before",
    ),
    ("failed", "out_of_memory", "OOMKilled", "used more memory than it may", "Raise memory_limit"),
)
"""What a cluster says of a server that does not run, from an absent image to too much memory."""


@pytest.mark.parametrize(
    ("phase", "cause", "message", "sentence", "cure"), FAILURES, ids=[one[1] for one in FAILURES]
)
async def test_each_failure_of_a_cluster_is_shown_with_its_cause_its_cure_and_what_was_said(
    running: Console, phase: Phase, cause: str, message: str, sentence: str, cure: str
) -> None:
    entry, installation = await ours(running)
    await reported(running, installation, phase, cause=cause, message=message)
    async with reading(running, await running.person("Ed", "admin")) as reader:
        text = unescape((await reader.get(f"/installations/{installation.id}"))[1])
        assert [one in text for one in (sentence, cure, message)] == [True] * 3
        for path in ("/installations", f"/registry/{entry.id}"):
            assert sentence in unescape((await reader.get(path))[1]), path


async def test_a_page_follows_its_server_until_it_is_ready_and_on(running: Console) -> None:
    _, installation = await ours(running)
    await reported(running, installation, "starting")
    url, told = f"/installations/{installation.id}", ""
    async with reading(running, await running.person("Ed", "admin")) as reader, asyncio.timeout(WITHIN_S):
        _, text = await reader.get(url)
        assert f'data-live="{url}/state"' in text
        async with reader.http.get(f"{reader.url}{url}/state") as answer:
            async for piece in answer.content.iter_any():
                told += piece.decode()
                if told.count("event: part") == 1:
                    found = {"image": "base@sha256:abc", "packages": [["some-server", "1.2.3"]]}
                    await reported(running, installation, "ready", isolation="kubernetes", resolved=found)
                if "base@sha256:abc" in told:
                    break
    assert told.index("It runs, and has not answered yet.") < told.index("some-server 1.2.3")
    assert "a pod of its own" in told
    assert "event: done" not in told


async def test_what_was_said_is_shown_as_text(running: Console) -> None:
    _, installation = await ours(running)
    await reported(running, installation, "failed", cause="crashed", message="<b>boom</b>")
    async with reading(running, await running.person("Ed", "admin")) as reader:
        _, text = await reader.get(f"/installations/{installation.id}")
    assert "&lt;b&gt;boom" in text


async def test_the_latest_lines_of_a_log_are_shown_as_text_and_filtered(
    running: Console, runtime: LoggedRuntime
) -> None:
    _, installation = await ours(running)
    runtime.lines = [b"starts <b>\n", b"warns \xff\n", b"ends" + b"x" * 5_000 + b"\n"]
    path = f"/installations/{installation.id}/logs"
    async with reading(running, await running.person("Ed", "admin")) as reader:
        _, text = await reader.get(path)
        assert "starts &lt;b&gt;" in text
        assert "warns" in text
        assert "x" * 600 not in text
        assert f'data-live="{path}/lines"' in text
        _, text = await reader.get(f"{path}?text=WARNS")
        assert "starts" not in text
        assert "warns" in text
        assert "No line has this text." in (await reader.get(f"{path}?text=nothing"))[1]


async def test_the_log_of_the_run_before_is_there_and_followed_by_nobody(
    running: Console, runtime: LoggedRuntime
) -> None:
    _, installation = await ours(running)
    runtime.lines, runtime.before = [b"now\n"], [b"the last words\n"]
    path = f"/installations/{installation.id}/logs?run=before"
    async with reading(running, await running.person("Ed", "admin")) as reader:
        _, text = await reader.get(path)
        assert "the last words" in text
        assert "data-live" not in text
        runtime.before = []
        assert "There was no run before this one" in (await reader.get(path))[1]


async def test_a_log_is_followed(running: Console, runtime: LoggedRuntime) -> None:
    _, installation = await ours(running)
    runtime.lines, told = [b"first\n"], ""
    url = f"{running.url}/installations/{installation.id}/logs/lines"
    async with (
        reading(running, await running.person("Ed", "admin")) as reader,
        asyncio.timeout(WITHIN_S),
        reader.http.get(url) as answer,
    ):
        async for piece in answer.content.iter_any():
            told += piece.decode()
            runtime.lines = [b"first\n", b"second\n"]
            if "second" in told:
                break
    assert "data: second" in told


async def test_why_a_log_cannot_be_read_is_told(running: Console, runtime: LoggedRuntime) -> None:
    _, installation = await ours(running)
    runtime.away = "The cluster does not answer."
    async with reading(running, await running.person("Ed", "admin")) as reader:
        status, text = await reader.get(f"/installations/{installation.id}/logs")
    assert status == 200
    assert "The cluster does not answer." in text


async def test_nobody_reads_anothers_log_or_one_that_there_is_not(running: Console) -> None:
    _, installation = await ours(running)
    elsewhere = await an_installation(running, await an_entry(running, "github"))
    async with reading(running, await running.person("Bea")) as reader:
        assert (await reader.get(f"/installations/{installation.id}/logs"))[0] in {403, 404}
        assert (await reader.post(f"/installations/{installation.id}/restart"))[0] in {403, 404}
    async with reading(running, await running.person("Ed", "admin")) as reader:
        status, text = await reader.get(f"/installations/{elsewhere.id}/logs")
        assert status == 409
        assert "is not run by Archway" in text


async def test_a_restart_is_asked_for_and_told(running: Console) -> None:
    _, installation = await ours(running)
    path = f"/installations/{installation.id}"
    async with reading(running, await running.person("Ann", "admin")) as reader:
        status, text, where = await reader.post(f"{path}/restart")
        assert (status, where) == (303, f"{path}?said=restarting"), text
        assert (await kept(running, installation.id)).restarts_wanted == 1
        _, text = await reader.get(path)
    assert "What was done last" in text


async def test_a_clients_command_becomes_an_entry_that_we_run(running: Console) -> None:
    file = json.dumps({"mcpServers": {"Files": {"command": "npx", "args": ["-y", "files"], "env": {"KEY": SECRET}}}})
    async with reading(running, await running.person("Ed", "admin")) as reader:
        status, text, _ = await reader.post("/registry/import", config=file)
        assert status == 200
        assert "<code>npx -y files</code>" in text
        assert "KEY (secret)" in text
        assert SECRET not in unescape(text)
        form = text[text.index('action="/registry/import/add"') :]
        sent = {
            told["name"]: unescape(told.get("value", ""))
            for tag in re.findall(r"<input[^>]*>", form[: form.index("</form>")])
            if (told := dict(re.findall(r'(\w+)="([^"]*)"', tag)))["name"] != "csrf"
        }
        status, text, _ = await reader.post("/registry/import/add", **sent)
        assert status == 303, text
    made = await saved(running)
    assert made.reached == SelfHosted(command=("npx", "-y", "files"))
    assert [(one.name, one.variable, one.type) for one in made.fields] == [("key", "KEY", "secret")]
