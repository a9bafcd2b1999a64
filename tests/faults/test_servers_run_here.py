"""`archway up` with the servers that it runs itself: one from PyPI and one from npm, as its own words say.

What `npx` would fetch is what the tests have of it already: here it is a script that starts that.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from archway.admin_client import AdminApi
from archway.up.ports import free_port
from core.children.identity import lives
from core.children.orphans import recorded
from tests.clients.real_clients import NODE, started
from tests.clients.what_clients_do import CLIENTS
from tests.up.conftest import ARCHWAY, Up, until

TOOLS = Path(__file__).parents[2] / ".tools"
EVERYTHING = TOOLS / "npm" / "node_modules" / "@modelcontextprotocol" / "server-everything" / "dist" / "index.js"
TOKEN = "token-of-the-bridge-beside-it"
TOKYO = {"source_timezone": "UTC", "time": "10:00", "target_timezone": "Asia/Tokyo"}
SPOKEN = {"legacy": "2025-11-25", "modern": "2026-07-28"}


def environment(state: Path) -> dict[str, str]:
    programs = state.parent / "bin"
    programs.mkdir()
    npx = programs / "npx"
    npx.write_text(f"#!/bin/sh\nexec {NODE} {EVERYTHING} stdio\n")
    npx.chmod(0o755)
    own = {name: text for name, text in os.environ.items() if not name.startswith("ARCHWAY_")}
    path = f"{programs}{os.pathsep}{own['PATH']}"
    return own | {"PATH": path, "ARCHWAY_SERVERS_MAY_READ": f"{TOOLS},{Path(NODE).resolve().parent.parent}"}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A deployment that runs both, and has both on its demo gateway."""
    up = Up(tmp_path_factory.mktemp("up") / "state")
    start = [*ARCHWAY, "up", "--detach", "--state", str(up.state), "--proxy-port", "0", "--control-port", "0"]
    done = subprocess.run(start, capture_output=True, text=True, timeout=150, check=False, env=environment(up.state))
    assert done.returncode == 0, done.stdout + done.stderr
    up.said = done.stdout
    until(lambda: {one.partition("__")[0] for one in names(up)} == {"time", "local-time", "everything"})
    yield up
    left = up.run("down")
    assert left.returncode == 0, left.stdout + left.stderr
    assert up.processes() == {}


@pytest.fixture(scope="module")
def api(here):
    return AdminApi(here.file["control_url"], here.file["admin_token"])


def names(up: Up) -> set[str]:
    api = AdminApi(up.file["control_url"], up.file["admin_token"])
    (demo,) = (one for one in api.pages("/gateways") if one["slug"] == "demo")
    return {one["exposed_name"] for one in api.pages(f"/gateways/{demo['id']}/assignments")}


def test_its_summary_names_them_and_status_says_where_each_server_runs(here):
    assert "Time, run here, Everything, run here: being started" in here.said
    said = json.loads(here.run("status", "--json").stdout)
    shown = {one["entry"]: (one["runtime"], one["state"], one["isolation"]) for one in said["installations"]}
    word = "user" if os.geteuid() == 0 else "namespace"
    assert shown == {
        "time": ("remote", "ready", ""),
        "local-time": ("process", "ready", word),
        "everything": ("process", "ready", word),
    }


@pytest.mark.parametrize(
    "client", [pytest.param(one, id=str(one)) for one in CLIENTS if one.program in ("python-1", "typescript-2")]
)
def test_servers_from_pypi_and_from_npm_answer_clients_of_both_eras(here, client):
    with started(client, here.file["gateway_url"], here.file["gateway_token"]) as talker:
        time = talker.does("call", tool="local-time__convert_time", arguments=TOKYO)
        said = talker.does("call", tool="everything__echo", arguments={"message": "from a process"})
    assert "19:00" in time["text"]
    assert "from a process" in said["text"]


@pytest.fixture(scope="module")
def twice(api):
    """The same server on two gateways: somebody else runs it, and Archway does; their paths."""
    port = free_port()
    bridge = [sys.executable, "-m", "bridge", "--port", str(port), "--", "mcp-server-time", "--local-timezone", "UTC"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "ARCHWAY_BRIDGE_TOKEN": TOKEN}
    with subprocess.Popen(bridge, env=own, stderr=subprocess.DEVNULL) as process:
        try:
            made = api.post(
                "/entries",
                {
                    "slug": "far-time",
                    "name": "Time",
                    "url": f"http://127.0.0.1:{port}/mcp",
                    "credential_model": "static",
                    "credential_placement": {"style": "bearer"},
                },
            )
            # An answer names its installation, and a list its gateway.
            wanted = {"entry_id": made["id"], "scope": "organisation", "name": "Time, run here", "credential": TOKEN}
            far = api.post("/installations", wanted)
            yield {
                "remote": gateway(api, "remote", made["id"], until(lambda: ready(api, far["id"]))),
                "process": gateway(api, "process", "local-time", "local-time@organisation"),
            }
        finally:
            process.kill()


def ready(api, installation):
    found = api.get(f"/installations/{installation}")
    if found["state"] != "ready":
        api.post(f"/installations/{installation}/discover")
    return found["id"] if found["state"] == "ready" else None


def gateway(api, slug, entry, installation):
    made = api.post("/gateways", {"slug": slug, "name": "The same"})
    wanted = {"entry": entry, "installation": installation, "tools": ["*"], "prefix": False}
    api.post(f"/gateways/{made['id']}/assignments", wanted)
    return f"/v1/mcp/{slug}"


class Asking:
    """One caller at one gateway, who keeps every byte of the answers but those that name a moment or a request."""

    def __init__(self, up: Up, path: str, version: str) -> None:
        at = urlsplit(up.file["proxy_url"])
        self._connection = http.client.HTTPConnection(at.hostname, at.port, timeout=60)
        self._path = path
        self._headers = {
            "Authorization": f"Bearer {up.file['gateway_token']}", "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": version,
        }  # fmt: skip
        if version == SPOKEN["legacy"]:
            hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
            _, headers, _ = self.ask("initialize", hello)
            self._headers["Mcp-Session-Id"] = headers["Mcp-Session-Id"]

    def take_the_other_lane(self):
        """Send what the fast lane leaves to aiohttp."""
        self._headers["TE"] = "trailers"

    def ask(self, method, params):
        """Status, headers, body."""
        own = {"Mcp-Method": method} | ({"Mcp-Name": params["name"]} if "name" in params else {})
        if self._headers["MCP-Protocol-Version"] == SPOKEN["modern"]:
            params = params | {"_meta": {
                "io.modelcontextprotocol/protocolVersion": SPOKEN["modern"],
                "io.modelcontextprotocol/clientCapabilities": {},
            }}  # fmt: skip
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        headers = self._headers | own | {"Connection": "close"}
        self._connection.request("POST", self._path, body, headers)
        answer = self._connection.getresponse()
        headers = {name: text for name, text in answer.getheaders() if name not in {"Date", "X-Request-Id"}}
        return answer.status, headers, answer.read()


def test_each_says_which_package_it_came_to_and_in_which_version(api):
    npm = json.loads((EVERYTHING.parents[1] / "package.json").read_bytes())
    shown = {one["entry_slug"]: (one["runs"] or {}).get("resolved") for one in api.pages("/installations")}
    assert shown["everything"] == {"packages": [[npm["name"], npm["version"]]]}
    ((name, version),) = shown["local-time"]["packages"]
    assert (name, version) == ("mcp-server-time", metadata.version("mcp-server-time"))


@pytest.mark.parametrize("era", SPOKEN)
def test_the_same_call_differs_in_no_byte_whoever_runs_the_server(here, twice, era):
    until(
        lambda: all(
            b"convert_time" in Asking(here, path, SPOKEN[era]).ask("tools/list", {})[2] for path in twice.values()
        )
    )
    remote, process = (Asking(here, path, SPOKEN[era]) for path in twice.values())
    for method, params in (
        ("tools/list", {}),
        ("tools/call", {"name": "convert_time", "arguments": TOKYO}),
        ("tools/call", {"name": "convert_time", "arguments": TOKYO | {"time": "nonsense"}}),
    ):
        before, found, after = remote.ask(method, params), process.ask(method, params), remote.ask(method, params)
        assert found in (before, after)  # two, since the answer names the day


def entry_called(api, slug):
    (entry,) = (one for one in api.pages("/entries") if one["slug"] == slug)
    (installation,) = (one for one in api.pages("/installations") if one["entry_id"] == entry["id"])
    return entry, installation


def has_been_idle(here, installation):
    """As if nobody had called it for the time that its entry says: proxies are told to forget it."""
    (control,) = here.file["pids"]["control"]
    own = dict(one.partition("=")[::2] for one in Path(f"/proc/{control}/environ").read_text().split("\0"))

    async def told():
        database = await asyncpg.connect(own["ARCHWAY_DATABASE_URL"])
        async with database.transaction():
            await database.execute(
                "insert into idle_servers (installation_id) values ($1) on conflict do nothing", name
            )
            await database.execute("update idle_servers set dozes_since = now() where installation_id = $1", name)
            await database.execute("select announce('installation', $1, 0)", name)
        await database.close()

    name = installation["id"]
    asyncio.run(told())


def runs_of(api, installation):
    return api.get(f"/installations/{installation['id']}")["runs"]


@pytest.fixture(scope="module")
def sleeps(api, twice):
    """The server of `twice` that is run here, whose entry has it ended when nobody calls it."""
    entry, installation = entry_called(api, "local-time")
    api.patch(f"/entries/{entry['id']}", {"run": {"idle_minutes": 5}})
    return installation


def test_twenty_calls_of_one_that_is_asleep_in_both_eras_and_lanes_are_answered_after_one_wake(
    here, api, twice, sleeps
):
    until(lambda: runs_of(api, sleeps)["phase"] == "ready" and runs_of(api, sleeps)["is_latest"])
    callers = [Asking(here, twice["process"], SPOKEN[era]) for era in SPOKEN for _ in range(10)]
    for one in callers[::2]:
        one.take_the_other_lane()
    call = ("tools/call", {"name": "convert_time", "arguments": TOKYO})
    assert b"19:00" in callers[0].ask(*call)[2]
    ran = recorded(here.state / "servers" / "run" / f"{sleeps['id']}.json")
    has_been_idle(here, sleeps)
    until(lambda: runs_of(api, sleeps)["phase"] == "asleep")
    until(lambda: not any(lives(one) for one in ran.values()))
    before = runs_of(api, sleeps)["wakes"]
    with ThreadPoolExecutor(len(callers)) as together:
        answers = list(together.map(lambda one: one.ask(*call)[2], callers))
    assert all(b"19:00" in one for one in answers), answers
    assert runs_of(api, sleeps)["wakes"] == before + 1


def test_one_that_is_asleep_while_no_control_can_wake_it_is_refused_and_answers_afterwards(here, api, twice, sleeps):
    asking = Asking(here, twice["process"], SPOKEN["modern"])
    call = ("tools/call", {"name": "convert_time", "arguments": TOKYO})
    has_been_idle(here, sleeps)
    until(lambda: runs_of(api, sleeps)["phase"] == "asleep")
    (control,) = here.file["pids"]["control"]
    os.kill(control, signal.SIGSTOP)
    try:
        assert b"cannot be looked up now; retry soon" in asking.ask(*call)[2]
    finally:
        os.kill(control, signal.SIGCONT)
    until(lambda: b"19:00" in asking.ask(*call)[2])


def test_servers_end_with_a_control_that_is_killed_and_come_back_with_the_next(here, api):
    _, installation = entry_called(api, "local-time")
    record = here.state / "servers" / "run" / f"{installation['id']}.json"
    before = recorded(record)
    assert all(lives(one) for one in before.values())
    (control,) = here.file["pids"]["control"]
    os.kill(control, signal.SIGKILL)
    until(lambda: not any(lives(one) for one in before.values()))
    call = (
        "call",
        "demo",
        "local-time__convert_time",
        "source_timezone=UTC",
        "time=10:00",
        "target_timezone=Asia/Tokyo",
    )
    until(lambda: "19:00" in here.run(*call).stdout)


def test_a_server_ends_with_its_installation_and_its_folder_is_gone(here, api):
    entry, installation = entry_called(api, "everything")
    until(lambda: recorded(here.state / "servers" / "run" / f"{installation['id']}.json"))
    runs = recorded(here.state / "servers" / "run" / f"{installation['id']}.json")
    api.delete(f"/entries/{entry['id']}", cascade="true")
    until(lambda: not any(lives(one) for one in runs.values()))
    until(lambda: not [one for one in (here.state / "servers").rglob("*") if installation["id"] in one.name])
