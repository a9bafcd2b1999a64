import asyncio
from dataclasses import replace
from urllib.error import URLError
from uuid import uuid4

import pytest

from control.processes.isolation import NoIsolation
from control.processes.runtime import _UNKNOWN, ProcessRuntime, process_runtime
from control.servers.runtime import Refused, RuntimeAway
from control.settings import ControlSettings
from core.children.orphans import recorded
from core.tasks import Tasks
from tests.control.obedient_server import told, wanted
from tests.unit.control.processes.test_open_listeners import LOOPBACK
from tests.unit.control.processes.test_server import States

USERS = range(1_900_000_000, 1_999_999_999)


@pytest.fixture
def states():
    return States()


@pytest.fixture
async def runtime(tmp_path, states):
    tasks = Tasks("test")
    runtime = ProcessRuntime(tmp_path / "state" / "servers", USERS, (), ())
    (tmp_path / "state").mkdir(mode=0o700)
    _ = tasks.spawn("run", runtime.run(states, print))
    yield runtime
    await tasks.close(grace=30)


async def ready(states, one, generation=1):
    return await states.until(
        lambda state: (
            (state.installation_id, state.generation, state.phase) == (one.installation_id, generation, "ready")
        )
    )


async def test_a_server_runs_as_it_is_wanted_and_what_changes_nothing_does_nothing(runtime, states):
    one = wanted(environment={"WORD": "first"}, files={"ca.pem": "certificate"})
    await runtime.apply(one)
    state = await ready(states, one)
    pid = "import os; said = os.getpid(), os.environ['WORD'], open(os.environ['HOME'] + '/secrets/ca.pem').read()"
    before = await asyncio.to_thread(told, state.endpoint, pid)
    assert before.endswith("'first', 'certificate')")

    await runtime.apply(one)
    await runtime.apply(replace(one, generation=2))
    await ready(states, one, 2)
    assert await asyncio.to_thread(told, state.endpoint, pid) == before

    await runtime.apply(replace(one, generation=3, environment={"WORD": "second"}))
    state = await ready(states, one, 3)
    assert "second" in await asyncio.to_thread(told, state.endpoint, pid)
    assert await runtime.present() == {one.installation_id}


async def test_a_restart_that_was_asked_for_is_one(runtime, states):
    one = wanted()
    await runtime.apply(one)
    at = (await ready(states, one)).endpoint
    pid = await asyncio.to_thread(told, at, "import os; said = os.getpid()")
    states.told.clear()
    await runtime.apply(replace(one, restarts_wanted=1))
    again = (await ready(states, one)).endpoint
    assert (at, pid) != (again, await asyncio.to_thread(told, again, "import os; said = os.getpid()"))


async def test_removed_twice_nothing_of_it_is_left(runtime, states, tmp_path):
    one = wanted()
    await runtime.apply(one)
    await ready(states, one)
    await runtime.remove(one.installation_id)
    await runtime.remove(one.installation_id)
    await runtime.remove(str(uuid4()))
    assert await runtime.present() == frozenset()
    assert [path for path in tmp_path.rglob("*") if one.installation_id in str(path)] == []


@pytest.mark.parametrize(
    ("change", "cause", "said"),
    [
        ({"image": "registry.example.com/server:1"}, "no_runtime", "an image needs a cluster"),
        ({"command": ()}, "configuration", "no command"),
    ],
)
async def test_what_cannot_be_run_here_is_refused_and_told(runtime, states, change, cause, said):
    one = wanted(**change)
    with pytest.raises(Refused, match=said) as refused:
        await runtime.apply(one)
    assert refused.value.cause == cause
    assert (states.told[-1].phase, states.told[-1].cause) == ("failed", cause)


async def test_nothing_runs_beside_a_listener_that_strangers_reach_unless_it_is_named(tmp_path, states):
    shared = dict(LOOPBACK, servers_folder=str(tmp_path / "servers"), public_url="https://gateway.example.com")
    tasks, runtime = Tasks("test"), process_runtime(ControlSettings(**shared))
    _ = tasks.spawn("run", runtime.run(states, print))
    with pytest.raises(Refused, match="ARCHWAY_PUBLIC_URL can be reached") as refused:
        await runtime.apply(wanted())
    assert refused.value.cause == "no_runtime"
    await tasks.close()
    named = process_runtime(ControlSettings(**shared, servers_beside_listeners=("ARCHWAY_PUBLIC_URL",)))
    one = wanted()
    _ = tasks.spawn("run", named.run(states, print))
    await named.apply(one)
    await ready(states, one)
    await tasks.close(grace=30)


async def test_its_lines_are_those_of_this_run_or_of_the_one_before_without_secrets(runtime, states):
    one = wanted(secret_environment={"KEY": "hush-hush"})
    await runtime.apply(one)
    say = "import os, sys; print('hello', os.environ['KEY'], file=sys.stderr, flush=True); said = 1"
    await asyncio.to_thread(told, (await ready(states, one)).endpoint, say)

    async def lines(*, previous=False):
        return [line async for line in runtime.logs(one.installation_id, lines=5, previous=previous, follow=False)]

    assert await lines() == [b"hello [redacted]\n"]
    await runtime.apply(replace(one, generation=2, restarts_wanted=1))
    await ready(states, one, 2)
    assert await lines() == []
    assert await lines(previous=True) == [b"hello [redacted]\n"]
    followed = runtime.logs(one.installation_id, lines=5, previous=False, follow=True)
    await asyncio.to_thread(told, states.told[-1].endpoint, say)
    async with asyncio.timeout(30):
        assert await anext(followed) == b"hello [redacted]\n"
    await followed.aclose()


async def test_secrets_of_before_are_shown_in_no_log_nor_those_of_one_that_does_not_run(runtime, states, tmp_path):
    one = wanted(secret_environment={"KEY": "hush-hush"}, files={"key.pem": "first-line-of-a-key\nsecond-line-of-it"})
    log = tmp_path / "state" / "servers" / "logs" / f"{one.installation_id}.log"

    async def said(*, previous=False):
        lines = runtime.logs(one.installation_id, lines=5, previous=previous, follow=False)
        return b"".join([line async for line in lines])

    await runtime.present()
    log.write_text("hush-hush\n")
    assert await said() == _UNKNOWN
    await runtime.apply(one)
    await ready(states, one)
    log.write_text("hush-hush second-line-of-it\n")
    await runtime.apply(replace(one, generation=2, secret_environment={"KEY": "another"}))
    await ready(states, one, 2)
    assert await said(previous=True) == b"[redacted] [redacted]\n"
    log.write_text("another\n")
    with pytest.raises(Refused):
        await runtime.apply(replace(one, generation=3, command=()))
    assert await said() == b"[redacted]\n"


async def test_everything_ends_with_the_one_who_runs_it(tmp_path, states):
    (tmp_path / "state").mkdir(mode=0o700)
    runtime, tasks, one = ProcessRuntime(tmp_path / "state" / "servers", USERS, (), ()), Tasks("test"), wanted()
    _ = tasks.spawn("run", runtime.run(states, print))
    await runtime.apply(one)
    await ready(states, one)
    record = tmp_path / "state" / "servers" / "run" / f"{one.installation_id}.json"
    assert recorded(record)
    await tasks.close(grace=30)
    assert not recorded(record)


async def test_where_only_root_could_run_it_it_is_refused_and_what_is_there_can_be_removed(
    runtime, states, monkeypatch
):
    def nothing_else(*_):
        raise NoIsolation("servers would have to run as root here: setresuid: Invalid argument")

    monkeypatch.setattr("control.processes.runtime.find_isolation", nothing_else)
    one = wanted()
    with pytest.raises(Refused, match="as root here: setresuid"):
        await runtime.apply(one)
    assert (states.told[-1].cause, states.told[-1].phase) == ("no_runtime", "failed")
    await runtime.remove(one.installation_id)


async def test_a_folder_that_cannot_be_made_is_a_place_that_is_away(tmp_path):
    (tmp_path / "file").write_text("")
    runtime = ProcessRuntime(tmp_path / "file" / "servers", USERS, (), ())
    with pytest.raises(RuntimeAway, match="Not a directory"):
        await runtime.present()


async def test_one_that_is_asleep_has_no_process_and_one_that_is_woken_is_told_of_anew(runtime, states):
    one = wanted()
    await runtime.apply(one)
    at = (await ready(states, one)).endpoint
    for _ in range(2):
        await runtime.apply(replace(one, asleep=True))
    state = await states.until(lambda state: state.phase == "asleep")
    assert (state.endpoint, state.cause) == ("", "")
    with pytest.raises(URLError, match="refused"):
        await asyncio.to_thread(told, at, "said = 1")
    assert await runtime.present() == {one.installation_id}
    states.told.clear()
    await runtime.apply(one)
    again = (await ready(states, one)).endpoint
    assert await asyncio.to_thread(told, again, "said = 1") == "1"


async def test_how_one_does_is_told_again_where_it_runs_as_it_is_wanted(runtime, states):
    one = wanted()
    await runtime.apply(one)
    state = await ready(states, one)
    states.told.clear()
    await runtime.apply(one)
    assert await ready(states, one) == state
