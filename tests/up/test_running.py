"""What a person meets while `archway up` runs."""

import json
import os
import re
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest


class StaysWhereItIs(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at and not followed."""

    def redirect_request(self, *_):
        return None


def refused(browser, asked):
    """The status of an answer that is not 200, and the cookies that it sets."""
    with pytest.raises(urllib.error.HTTPError) as answer:
        browser.open(asked, timeout=30)
    with answer.value as closed_after:
        return closed_after.code, closed_after.headers.get_all("Set-Cookie") or []


def test_the_printed_command_calls_the_demos_tool(running):
    assert running.works(), running.call()


def test_up_json_has_the_fixed_shape_and_is_for_its_owner_alone(running):
    assert set(running.file) == {
        "proxy_url", "control_url", "control_public_url", "admin_token", "gateway_url", "gateway_token",
        "metrics_url", "pids",
    }  # fmt: skip
    assert set(running.file["pids"]) == {"proxy", "control", "postgres", "redis", "demo"}
    assert len(running.file["pids"]["proxy"]) == 2  # the supervisor and one worker
    assert stat.S_IMODE((running.state / "up.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(running.state.stat().st_mode) == 0o700


def test_the_printed_link_signs_the_first_admin_in_once(running):
    (url,) = re.findall(r"Sign in +(\S+)", running.said)
    assert url.startswith(running.file["proxy_url"] + "/sign-in/link/")
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(), StaysWhereItIs)

    with browser.open(url, timeout=30) as answer:
        page = answer.read().decode()
    (token,) = re.findall(r'name="csrf" value="([^"]+)"', page)
    form = urllib.request.Request(url, f"csrf={token}".encode(), {"Sec-Fetch-Site": "same-origin"})
    status, cookies = refused(browser, form)
    assert (status, any(one.startswith("archway-") for one in cookies)) == (303, True)
    assert refused(browser, urllib.request.Request(url)) == (410, [])


def test_no_secret_stands_in_a_command_line(running):
    secrets = [running.file["admin_token"], running.file["gateway_token"]]
    secrets += [line.partition("=")[2] for line in (running.state / "keys.env").read_text().splitlines()[1:]]
    kept = json.loads((running.state / "servers.json").read_text())
    secrets += [kept["postgres_password"], kept["redis_password"]]

    for pid in running.processes():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        assert not [secret for secret in secrets if secret in words]


def test_a_second_up_on_the_same_folder_is_told_that_one_runs(running):
    done = running.run("up", "--detach")

    assert done.returncode == 1
    assert "already running on" in done.stderr


def test_status_shows_every_process_and_each_installation_with_its_runtime(running):
    done = running.run("status", "--json")
    said = json.loads(done.stdout)

    assert done.returncode == 0, said
    assert {one["name"] for one in said["processes"]} == {
        "postgres", "redis", "control", "proxy", "proxy worker", "demo",
    }  # fmt: skip
    assert all(one["alive"] for one in said["processes"])
    assert [(one["entry"], one["runtime"], one["state"]) for one in said["installations"]] == [
        ("time", "remote", "ready")
    ]


def test_the_doctor_finds_nothing_wrong(running):
    done = running.run("doctor")

    assert done.returncode == 0, done.stdout


def printed(running, begin: str) -> str:
    """The printed line that begins so."""
    (line,) = [line.strip() for line in running.said.splitlines() if line.strip().startswith(begin)]
    return line


def test_the_printed_export_line_and_commands_list_and_call_the_demos_tools_from_anywhere(running, tmp_path):
    lines = [printed(running, "export ARCHWAY_PROXY_URL=")]
    lines += [line.strip() for line in running.said.splitlines() if "archway tools demo" in line]
    lines += [line.strip() for line in running.said.splitlines() if "archway call demo" in line]
    assert len(lines) == 3
    own = {name: value for name, value in os.environ.items() if not name.startswith("ARCHWAY_")}
    script = "; ".join(line.replace(".venv/bin/archway", f"{Path.cwd()}/.venv/bin/archway") for line in lines)
    done = subprocess.run(
        ["bash", "-ec", script], capture_output=True, text=True, timeout=90, check=False, cwd=tmp_path, env=own
    )
    assert done.returncode == 0, done.stderr
    assert "time__convert_time" in done.stdout
    assert "datetime" in done.stdout


def test_a_tool_is_called_with_what_the_state_folder_says(running):
    done = running.run("call", "demo", "time__get_current_time", "timezone=Europe/Paris", "--json")
    assert done.returncode == 0, done.stderr
    assert "Europe/Paris" in json.loads(done.stdout)["content"][0]["text"]
    listed = running.run("tools", "demo", "--json")
    assert {one["name"] for one in json.loads(listed.stdout)} >= {"time__get_current_time", "time__convert_time"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("time__get_current_time", "timezone=Nowhere/AtAll"), "Nowhere/AtAll"),
        (("time__get_current_time",), "timezone"),
        (("get_current_time",), "the gateway has no tool 'get_current_time'; it has time__get_current_time"),
        (("time__get_current_time", "timezone"), "an argument is name=text or name:=JSON"),
    ],
)
def test_a_call_that_fails_ends_with_one_and_its_sentence(running, words, said):
    done = running.run("call", "demo", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


def test_a_tool_that_is_in_no_list_is_found_and_called_by_its_name(running):
    assert running.run("gateways", "update", "demo", "--tool-loading", "search_and_run").returncode == 0
    try:
        listed = json.loads(running.run("tools", "demo", "--json").stdout)
        assert [one["name"] for one in listed] == ["search_tools", "run_tool"]
        found = json.loads(running.run("call", "demo", "search_tools", "query=current time", "--json").stdout)
        assert "time__get_current_time" in [one["name"] for one in found["structuredContent"]["tools"]]
        called = running.run("call", "demo", "time__get_current_time", "timezone=Europe/Paris")
        assert "Europe/Paris" in called.stdout, called.stderr
        for words, said in (
            (("time__get_current_time",), "Its schema: "),
            (("get_current_time",), "get_current_time"),
            (("time__get_current_time", "timezone"), "an argument is name=text or name:=JSON"),
        ):
            done = running.run("call", "demo", *words)
            assert (done.returncode, done.stdout) == (1, "")
            assert said in done.stderr
        sheet = running.run("gateways", "show", "demo").stdout
        assert re.search(r"^tool_loading +search_and_run$", sheet, re.MULTILINE)
        assert re.search(r"^may_ask +.*elicitation", sheet, re.MULTILINE)
    finally:
        assert running.run("gateways", "update", "demo", "--tool-loading", "all").returncode == 0


def test_a_gateway_that_is_not_there_and_a_token_that_is_not_for_gateways_are_told(running):
    done = running.run("tools", "no-such-gateway")
    assert done.returncode == 1
    assert "There is no such gateway for this caller" in done.stderr
    made = running.run("tokens", "create", "--name", "script", "--use", "api", "--json")
    own = {"ARCHWAY_TOKEN": json.loads(made.stdout)["secret"], "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "archway", "tools", "demo", "--state", str(running.state)],
        capture_output=True, text=True, timeout=90, check=False, env=own,
    )  # fmt: skip
    assert done.returncode == 1
    assert "This token is for the admin API and calls no gateways" in done.stderr
    assert "the token is from ARCHWAY_TOKEN" in done.stderr
