"""The registry's commands against a running deployment, and what a change of an entry does to secrets there."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from archway.admin.entries import ENTRY
from core.strict_yaml import write_yaml
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_program import eventually
from tests.up.conftest import ARCHWAY
from tests.up.redirected import CHANGES, Redirected


@pytest.fixture
def archway(running):
    """`archway("users", "list")` gives what `--json` printed."""

    def run(*words):
        done = running.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else done.stdout

    return run


def test_people_are_made_named_changed_and_deleted(archway):
    archway("users", "create", "--name", "Ada Lovelace", "--email", "ada@example.com")
    archway("teams", "create", "--name", "Engines")
    archway("teams", "add", "Engines", "ada@example.com", "--role", "admin")

    assert [(one["email"], one["role"]) for one in archway("teams", "members", "Engines")] == [
        ("ada@example.com", "admin")
    ]
    assert archway("users", "update", "ada@example.com", "--name", "Ada King")["name"] == "Ada King"
    assert archway("users", "disable", "ada@example.com")["disabled_at"]
    archway("users", "delete", "ada@example.com")
    archway("teams", "delete", "Engines")
    assert "ada@example.com" not in json.dumps(archway("users", "list"))


def test_a_token_is_shown_once_found_again_and_revoked(archway):
    made = archway("tokens", "create", "--name", "laptop")

    assert archway("tokens", "identify", made["secret"])["token"]["name"] == "laptop"
    assert made["secret"] not in json.dumps(archway("tokens", "list"))
    assert archway("tokens", "revoke", "laptop")["state"] == "revoked"


def test_a_made_up_token_is_recognised_as_such(running):
    done = running.run("tokens", "identify", "arch_" + "a" * 49)

    assert done.returncode == 1
    assert "not a token of Archway" in done.stdout


def test_an_entry_becomes_a_tool_on_a_gateway(archway):
    url = next(one["url"] for one in archway("entries", "list") if one["slug"] == "time")
    archway("entries", "create", "--slug", "clock", "--name", "Clock", "--url", url, "--label", "kind=demo")
    archway("installations", "create", "--entry", "clock", "--scope", "organisation", "--name", "The clock")
    archway("gateways", "create", "--slug", "clocks", "--name", "Clocks")
    archway("assignments", "create", "--gateway", "clocks", "--entry", "clock", "--tool", "get_current_time")

    shown = archway("assignments", "list", "--gateway", "clocks")
    assert [(one["exposed_name"], one["installation_name"]) for one in shown] == [("clock__get_current_time", None)]
    assert "get_current_time" in [one["name"] for one in archway("entries", "tools", "clock")]
    assert archway("entries", "quarantine", "clock", "get_current_time")["state"] == "quarantined"
    assert archway("entries", "release", "clock", "get_current_time")["state"] == "active"
    archway("installations", "discover", "The clock")
    archway("assignments", "delete", "clock__get_current_time", "--gateway", "clocks")
    archway("gateways", "delete", "clocks")
    archway("entries", "delete", "clock", "--cascade")


def test_an_entry_that_is_shown_as_yaml_is_edited_and_given_back(archway, running, tmp_path):
    file = tmp_path / "entry.yaml"
    given = {
        "slug": "notes", "name": "010", "url": "http://127.0.0.1:9/mcp", "labels": {"on": "yes"},
        "description": "y", "credential_model": "static",
        "credential_placement": {"style": "header", "header": "x-key"},
    }  # fmt: skip
    file.write_text("".join(f"{name}: {json.dumps(value)}\n" for name, value in given.items()))
    made = archway("entries", "create", "--body", str(file))
    assert made | given == made

    shown = running.run("entries", "show", "notes", "-o", "yaml").stdout
    file.write_text(shown.replace("description: 'y'", "description: Ink"))
    changed = archway("entries", "update", "notes", "--body", str(file))
    assert changed | given | {"description": "Ink"} == changed
    again = running.run("entries", "update", "notes", "--body", str(file))
    assert (again.returncode, "show it again" in again.stderr) == (1, True)

    file.write_text(running.run("entries", "show", "notes", "-o", "yaml").stdout)
    assert "id: is not a known field" in running.run("entries", "create", "--body", str(file)).stderr
    settable = {option.name for option in ENTRY.create}
    kept = {name: value for name, value in changed.items() if name in settable} | {"slug": "more-notes"}
    file.write_text(write_yaml(kept))
    copy = archway("entries", "create", "--body", str(file))
    assert copy | kept == copy
    for slug in ("notes", "more-notes"):
        archway("entries", "delete", slug)


def test_a_gateway_of_resources_alone_is_not_said_to_be_empty(archway, running):
    archway("gateways", "create", "--slug", "papers", "--name", "Papers")
    archway("assignments", "create", "--gateway", "papers", "--entry", "time", "--tool", "all_resources")

    for words in (("tools", "papers"), ("call", "papers", "all_resources")):
        done = running.run(*words)
        assert "its resources and prompts" in done.stdout + done.stderr
    assert json.loads(running.run("tools", "papers", "--json").stdout) == []


def test_an_entry_is_made_of_the_catalog_and_of_a_clients_file(archway, running, tmp_path):
    assert "linear" in [one["slug"] for one in archway("entries", "catalog")]
    assert archway("entries", "catalog", "linear")["needs_client"] is False
    assert archway("entries", "add", "linear", "--slug", "tickets")["credential_model"] == "oauth"
    told = running.run("entries", "add", "github")
    assert told.returncode == 1
    assert "needs --client-id" in told.stderr
    made = archway("entries", "add", "github", "--client-id", "Iv1.abc")
    assert made["credential_placement"]["client_id"] == "Iv1.abc"

    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {
        "Pages": {"url": "https://pages.example.com/mcp", "headers": {"X-Key": "sk_live_0123456789"}},
        "Files": {"command": "npx", "args": ["-y", "files"]},
    }}))  # fmt: skip
    would = archway("entries", "import", str(file), "--dry-run")
    assert [one["outcome"] for one in would] == ["would be made", "would be made"]
    done = archway("entries", "import", str(file))
    assert [one["outcome"] for one in done] == ["made", "made"]
    assert archway("entries", "show", "files")["kind"] == "self_hosted"
    shown = json.dumps(archway("entries", "show", "pages"))
    assert "secret" in shown
    assert "sk_live" not in shown + json.dumps(done)
    for slug in ("tickets", "github", "pages"):
        archway("entries", "delete", slug)


def test_a_refusal_names_the_field_and_ends_with_one(running):
    done = running.run("entries", "create", "--slug", "Not A Slug", "--name", "X", "--url", "https://example.com/mcp")

    assert done.returncode == 1
    assert "slug" in done.stderr


def test_a_name_that_nobody_has_is_said(running):
    done = running.run("gateways", "show", "nowhere")

    assert done.returncode == 1
    assert "no gateway has the slug or name 'nowhere'" in done.stderr


def test_tables_for_people_show_the_same_as_json_for_programs(running, archway):
    table = running.run("entries", "list").stdout

    assert all(one["slug"] in table and one["id"] in table for one in archway("entries", "list"))


def test_changes_are_in_the_audit(archway):
    archway("teams", "create", "--name", "Watched")

    assert "Watched" in json.dumps(archway("audit", "list", "--object-kind", "team"))


def test_calls_are_in_the_records(running, archway):
    assert running.works()

    def recorded():
        return [one for one in archway("records", "list") if "get_current_time" in json.dumps(one)]

    from tests.up.conftest import until

    until(recorded)


@contextmanager
def refusing_server(status: int, *headers: tuple[str, str], said: bytes = b"") -> Iterator[str]:
    """A server that answers every POST so; its origin."""

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_url_that_redirects_is_warned_of_and_what_is_not_ready_fails(running):
    with refusing_server(307, ("Location", "/mcp/")) as origin:
        words = ("--slug", "moved", "--name", "Moved", "--url", f"{origin}/mcp")
        saved = running.run("entries", "create", *words)
        installed = running.run("installations", "create", "--entry", "moved", "--scope", "organisation")
        again = running.run("installations", "discover", "moved@organisation")
    assert saved.returncode == 0
    assert f"warning: It redirects to {origin}/mcp/: enter that URL." in saved.stderr
    for ended in (installed, again):
        assert ended.returncode == 1
        assert "moved@organisation is not ready (unreachable)" in ended.stderr
        assert f"It redirects to {origin}/mcp/: enter that URL." in ended.stderr


def test_a_refused_credential_fails_with_the_words_of_the_server(running, monkeypatch):
    monkeypatch.setenv("KEY_OF_THE_SERVER", "s3cr3t-key")
    with refusing_server(401, ("Content-Type", "text/plain"), said=b"No such key: s3cr3t-key") as origin:
        words = ("--slug", "keyed", "--name", "Keyed", "--url", f"{origin}/mcp", "--credential-model", "static")
        running.run("entries", "create", *words, "--credential-placement", '{"style": "bearer"}')
        installation = (
            "--entry",
            "keyed",
            "--scope",
            "organisation",
            "--value-from-env",
            "credential=KEY_OF_THE_SERVER",
        )
        ended = running.run("installations", "create", *installation)
    assert ended.returncode == 1
    assert "keyed@organisation is not ready (credential_refused)" in ended.stderr
    assert "It said: No such key: <sealed>" in ended.stderr
    assert "s3cr3t-key" not in ended.stdout + ended.stderr


def test_a_refusal_at_the_door_is_shown_by_the_requests_id_and_followed(running, archway):
    from tests.up.conftest import until

    refused = running.run("tools", "nowhere")
    request_id = refused.stderr.strip().rpartition(" ")[2]
    words = ("records", "list", "--since", "1h", "--request-id", request_id)
    (listed,) = until(lambda: archway(*words))
    assert archway("records", "show", request_id) == listed
    assert (listed["status"], listed["gateway_asked"]) == ("gateway_unknown", "nowhere")

    # As a terminal starts it: where the tests run in the background, Ctrl-C is ignored, also by what they start.
    as_in_a_terminal = ["env", "--default-signal=INT"]
    followed = subprocess.Popen(
        [*as_in_a_terminal, *ARCHWAY, *words[:2], "--follow", "--state", str(running.state)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert followed.stdout is not None
    head, line = followed.stdout.readline(), ""
    while request_id not in line:
        line = followed.stdout.readline()
        assert line, followed.communicate(timeout=60)
    followed.send_signal(signal.SIGINT)
    _, err = followed.communicate(timeout=60)
    assert "credential" in head
    assert (followed.returncode, err) == (130, "")


def test_a_second_owners_installation_is_named_and_pinned_by_its_owner(archway):
    url = next(one["url"] for one in archway("entries", "list") if one["slug"] == "time")
    archway("entries", "create", "--slug", "crm", "--name", "CRM", "--url", url)
    archway("teams", "create", "--name", "Support")
    archway("installations", "create", "--entry", "crm", "--scope", "organization")
    made = archway("installations", "create", "--entry", "crm", "--scope", "team", "--team", "Support")
    archway("gateways", "create", "--slug", "desk", "--name", "Desk")
    words = ("--gateway", "desk", "--entry", "crm", "--tool", "*", "--installation", "crm@Support")
    pinned = archway("assignments", "create", *words)

    assert [one["name"] for one in archway("installations", "list", "--entry", "crm")] == ["CRM", "crm@Support"]
    assert {one["installation_id"] for one in pinned["items"]} == {made["id"]}
    assert "everybody" in pinned["warnings"][0]
    archway("installations", "delete", "crm@support", "--cascade")
    archway("gateways", "delete", "desk")
    archway("entries", "delete", "crm", "--cascade")
    archway("teams", "delete", "Support")


def test_the_status_of_a_deployment_is_known_by_its_address_and_a_token(running):
    where = {"ARCHWAY_ADMIN_URL": running.file["control_url"], "ARCHWAY_ADMIN_TOKEN": running.file["admin_token"]}
    done = subprocess.run(
        [*ARCHWAY, "status", "-o", "json"], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **where},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert [(one["name"], one["trouble"]) for one in told["listeners"]] == [("admin API", ""), ("gateways", "")]
    assert told["listeners"][1]["url"] == running.file["proxy_url"]
    assert told["version"] == told["command_line"]
    assert told["counts"]["gateways"] >= 1


@pytest.fixture
async def redirected(running):
    async with McpUpstream(era="modern") as here, McpUpstream(era="modern") as elsewhere:
        for one in (here, elsewhere):
            one.tool("look", Answer(text="seen"))
        yield Redirected(running, here, elsewhere)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        *((kind, "api") for kind in CHANGES),
        ("another address", "cli"),
        ("a header in place of the usual one", "cli"),
        ("another header of a field", "cli"),
    ],
)
async def test_a_stored_secret_follows_its_entry_to_no_other_place(
    redirected: Redirected, kind: str, way: str
) -> None:
    """No other server and no other header; and where the entry goes back, all is as it was."""
    entry, changed, header = CHANGES[kind]
    urls = {"elsewhere": redirected.elsewhere.url, "another path": f"{redirected.here.url}/of-somebody-else"}
    changed = {name: urls[value] if name == "url" else value for name, value in changed.items()}
    back = {name: redirected.here.url if name == "url" else entry[name] for name in changed}
    await redirected.set_up(entry)

    async def is_used() -> bool:
        return await redirected.code() == "ok"

    async def is_refused() -> bool:
        return await redirected.code() == "needs_sign_in"

    await eventually(is_used, 60, "the tool is called")
    before = redirected.places()
    assert {where for where, _ in before} == {"here"}
    assert any(place.startswith(f"{header}: ") for _, place in before)

    await redirected.change(way, changed)
    waiting = await redirected.state()
    assert waiting["state"] == "needs_sign_in"
    assert waiting["state_reason"].startswith("It has secrets that were given ")
    assert "give them again" in waiting["state_reason"]
    await eventually(is_refused, 60, "calls are refused")
    again = await redirected.made(f"/installations/{redirected.installation['id']}/discover", {})
    assert again["state"] == "needs_sign_in"
    assert redirected.places() == before

    await redirected.change(way, back)
    assert (await redirected.state())["state"] == "new"
    redirected.here.seen.clear()
    await eventually(is_used, 60, "it is called again")
    assert redirected.places() == before
    assert redirected.canary not in redirected.told()
