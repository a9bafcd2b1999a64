"""How a bridge starts, what it says of its server meanwhile, and how it ends."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import pytest

from bridge.kept_server import MARGIN_S
from tests.fakes.bridged import ROOT, TOKEN, Bridge, child


def lives(pid):
    return Path(f"/proc/{pid}").exists()


async def test_it_is_not_well_before_the_server_has_answered(tmp_path):
    async with Bridge(child("mute"), tmp_path, "--wait-within", "0.1") as bridge:
        status, state = await bridge.health()

        assert [status, state["phase"], state["cause"]] == [503, "starting", ""]
        refused = await bridge.call("echo")
        assert refused.status == 503
        assert "is starting; try again in" in refused.last["error"]["message"]


async def test_a_call_waits_for_a_server_that_is_about_to_begin(tmp_path):
    async with Bridge(child("legacy", "chatty"), tmp_path) as bridge:
        assert (await bridge.call("echo", text="early")).text == "early"


async def test_a_server_that_never_answers_is_named_so(tmp_path):
    async with Bridge(child("mute"), tmp_path, "--start-within", "0.5", "--stop-within", "0.2") as bridge:
        state = await bridge.state("failed", "not_answering")

        assert "has not answered within 0.5 s" in state["message"]


async def test_a_program_that_is_not_there_is_named_so(tmp_path):
    async with Bridge(["/nowhere/no-such-program"], tmp_path) as bridge:
        state = await bridge.state("failed", "no_such_program")

        assert state["message"] == "/nowhere/no-such-program: No such file or directory"


async def test_a_server_that_ends_is_tried_again_after_longer_and_longer_pauses(tmp_path):
    async with Bridge(child("gone"), tmp_path) as bridge:
        _ = await bridge.logged("the server does not run", 3)

        told = [one["pause_s"] for one in bridge.log() if one["event"] == "the server does not run"]
        assert told[:3] == [0.2, 0.4, 0.8]
        assert (await bridge.health())[1]["restarts"] >= 2


async def test_its_own_words_say_why_it_ended(tmp_path):
    async with Bridge(child("gone"), tmp_path) as bridge:
        state = await bridge.state("failed", "crashed")

        assert state["message"] == "It ended with status 5.\nI will not."


async def test_a_server_that_refuses_to_begin_is_named_so(tmp_path):
    async with Bridge(child("modern", "undiscovered"), tmp_path, "--stop-within", "0.2") as bridge:
        state = await bridge.state("failed", "not_answering")

        assert "It refused to begin: no initialize" in state["message"]


async def test_secrets_are_not_in_its_log_or_its_state(tmp_path):
    secret, key = 'p4ss"word with spaces', "-----BEGIN KEY-----\nline-of-a-private-key\n-----END KEY-----"
    own = {"ARCHWAY_SECRET_NAMES": "PASSWORD, KEY,UNSET", "PASSWORD": secret, "KEY": key, "PLAIN": "a-plain-value"}
    async with Bridge(child("legacy"), tmp_path, environment=own) as bridge:
        await bridge.ready()
        for text in (f"using {secret}!", f"key: {key}", f"token {TOKEN}", "and a-plain-value"):
            await bridge.call("tell", text=text)
        _ = await bridge.call("crash", text=secret)
        state = await bridge.state("failed", "crashed")

        log = (tmp_path / "bridge.log").read_text()
        for hidden in (secret, secret.replace('"', '\\"'), "line-of-a-private-key", TOKEN):
            assert hidden not in log + state["message"]
        assert "using [redacted]!" in log
        assert "and a-plain-value" in log
        assert "Fatal: [redacted]" in state["message"]


async def test_at_its_end_calls_that_run_may_end_and_others_are_refused(legacy):
    slow = legacy.begin("wait", seconds=1.0)
    await legacy.seen("wait")

    legacy.terminate()

    _ = await legacy.state("stopping")
    assert (await legacy.call("echo")).status == 503
    assert (await slow).text == "waited"
    assert await legacy.end() == 0


async def test_one_that_lingers_takes_calls_still_when_it_is_asked_to_end_and_keeps_no_connection(tmp_path):
    lingers = {"ARCHWAY_LINGER_S": "30"}
    async with Bridge(child("legacy"), tmp_path, environment=lingers) as bridge:
        await bridge.ready()
        bridge.terminate()
        _ = await bridge.state("stopping")

        said = await bridge.call("echo", text="still")

        assert (said.text, said.headers["Connection"]) == ("still", "close")
        bridge.terminate(signal.SIGKILL)


async def test_it_says_how_many_calls_run_but_for_those_that_only_hear_of_changes(tmp_path):
    async with Bridge(child("modern"), tmp_path) as bridge:
        await bridge.ready()
        assert (await bridge.health())[1]["calls"] == 0
        held = bridge.begin("hold", text="held")
        await bridge.seen("hold")
        assert (await bridge.health())[1]["calls"] == 1
        _ = await bridge.call("release")
        assert (await held).text == "held"
        assert (await bridge.health())[1]["calls"] == 0


async def test_a_server_whose_token_ends_is_ended_with_it_and_its_calls_have_what_is_left(tmp_path):
    soon = {"ARCHWAY_TOKEN_ENDS_AT": str(time.time() + MARGIN_S + 4)}
    async with Bridge(child("legacy"), tmp_path, environment=soon) as bridge:
        pid = (await bridge.logged("the server answers"))["pid"]
        slow = bridge.begin("wait", seconds=5.0)

        state = await bridge.state("failed", "no_token")

        assert "has ended, and no other one has come" in state["message"]
        assert (await slow).text == "waited"
        told = await bridge.logged("the server does not run")
        assert (told["cause"], lives(pid)) == ("no_token", False)
        assert (await bridge.call("echo")).status == 503
        assert await bridge.end() == 0


async def test_a_server_whose_token_has_ended_is_not_started(tmp_path):
    async with Bridge(child("legacy"), tmp_path, environment={"ARCHWAY_TOKEN_ENDS_AT": "1"}) as bridge:
        assert (await bridge.state("failed", "no_token"))["restarts"] == 0
        assert [one for one in bridge.log() if one["event"] == "the server answers"] == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_when_it_is_asked_to_and_its_server_with_it(legacy, how):
    pid = (await legacy.logged("the server answers"))["pid"]

    assert await legacy.end(how) == 0

    assert not lives(pid)


async def test_a_server_that_ignores_the_end_of_its_input_is_ended_by_force(tmp_path):
    stubborn = (
        "import json, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "number = json.loads(sys.stdin.readline())['id']\n"
        "found = {'supportedVersions': ['2026-07-28'], 'capabilities': {}}\n"
        "print(json.dumps({'jsonrpc': '2.0', 'id': number, 'result': found}), flush=True)\n"
        "time.sleep(600)"
    )
    async with Bridge([sys.executable, "-c", stubborn], tmp_path, "--stop-within", "0.4") as bridge:
        await bridge.ready()
        pid = (await bridge.logged("the server answers"))["pid"]

        assert await bridge.end() == 0

        assert not lives(pid)


async def test_a_port_that_is_taken_is_told(legacy, tmp_path):
    taken = ["--host", "127.0.0.1", "--port", str(legacy.port), "--", "true"]
    second = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge", *taken, env=legacy.environment, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await second.communicate()

    assert second.returncode == 1
    assert b"cannot listen" in said
