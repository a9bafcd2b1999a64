import os
import resource
import shutil
import signal
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from archway.supervisor import run
from archway.supervisor.orders import Listeners
from archway.supervisor.run import bind
from archway.supervisor.sockets import CannotListen, address, listen
from core.children.identity import identify

A_BUSY_MACHINE_S = 15.0
LEAVES_AN_ORPHAN = """
import os, sys, time
between = os.fork()
if between == 0:
    if os.fork() == 0:
        time.sleep(0.1)
        with open(sys.argv[1] + ".draft", "w") as file:
            file.write(str(os.getpid()))
        os.rename(sys.argv[1] + ".draft", sys.argv[1])
        time.sleep(1)
    os._exit(0)
os.waitpid(between, 0)
time.sleep(60)
"""


def test_workers_answer_on_the_one_socket_that_the_supervisor_bound(supervise):
    supervisor = supervise(workers=2)
    supervisor.until(lambda: len(supervisor.workers()) == 2)

    assert supervisor.ask()[0] in supervisor.workers()


def test_a_dead_worker_is_replaced_within_two_seconds(supervise):
    supervisor = supervise(workers=1)
    (old,) = supervisor.until(supervisor.workers)

    os.kill(old, signal.SIGKILL)

    supervisor.until(lambda: supervisor.workers() and old not in supervisor.workers(), within=2 + A_BUSY_MACHINE_S)
    assert supervisor.ask()[0] != old


def test_a_caller_who_comes_while_no_worker_lives_waits_instead_of_being_refused(supervise):
    supervisor = supervise(workers=1)
    (old,) = supervisor.until(supervisor.workers)

    os.kill(old, signal.SIGKILL)

    assert supervisor.ask()[0] != old


def test_sigterm_ends_the_workers_and_then_the_supervisor(supervise):
    supervisor = supervise(workers=2)
    workers = [
        identify(pid) for pid in supervisor.until(lambda: len(supervisor.workers()) == 2 and supervisor.workers())
    ]

    supervisor.process.send_signal(signal.SIGTERM)

    assert supervisor.process.wait(60) == 0
    assert all(identify(who.pid) != who for who in workers)


def test_a_worker_that_will_not_end_is_killed_after_the_grace(supervise, tmp_path):
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    supervisor = supervise(workers=1, grace=0.5, command=(sys.executable, "-c", stubborn), LEAVE_S=0.5)
    (worker,) = supervisor.until(supervisor.workers)
    supervisor.until(lambda: _ignores(worker, signal.SIGTERM))

    supervisor.process.send_signal(signal.SIGTERM)

    assert supervisor.process.wait(60) == 0


def _ignores(pid, number):
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigIgn:")]
    return int(line.split()[1], 16) >> (number - 1) & 1


def test_a_worker_is_told_the_grace_that_the_supervisor_gives_it(supervise, tmp_path):
    told = tmp_path / "told"
    tells = "import os, sys, time; open(sys.argv[1], 'w').write(os.environ['ARCHWAY_GRACE_SECONDS']); time.sleep(60)"
    supervisor = supervise(workers=1, grace=2.5, command=(sys.executable, "-c", tells, str(told)))

    assert supervisor.until(lambda: told.exists() and told.read_text()) == "2.5"


def test_sighup_replaces_every_worker_and_refuses_nobody(supervise):
    supervisor = supervise(workers=2)
    old = supervisor.until(lambda: len(supervisor.workers()) == 2 and supervisor.workers())

    supervisor.process.send_signal(signal.SIGHUP)
    answers = []

    def replaced():
        answers.append(supervisor.ask())
        return len(supervisor.workers()) == 2 and not supervisor.workers() & old

    supervisor.until(replaced, within=60)
    assert len(answers) > 1


NEVER_READY = """
import os, signal, sys, time
if os.environ["ARCHWAY_WORKER_NUMBER"] == "1":
    exec(open(sys.argv[1]).read())
{then}
"""


@pytest.mark.parametrize("then", ["time.sleep(60)", "sys.exit(1)"], ids=["is never ready", "dies"])
def test_a_roll_whose_new_worker(supervise, tmp_path, then):
    """... keeps the old one, which serves on, and the new one is gone in the end."""
    command = (sys.executable, "-c", NEVER_READY.format(then=then), str(tmp_path / "worker.py"))
    supervisor = supervise(workers=1, command=command, READY_WITHIN_S=1.0)
    (old,) = supervisor.until(supervisor.workers)
    supervisor.ask()

    supervisor.process.send_signal(signal.SIGHUP)

    supervisor.until(lambda: supervisor.starts() == 2)
    supervisor.until(lambda: supervisor.workers() == {old})
    assert supervisor.ask()[0] == old


def test_a_sighup_during_a_roll_is_remembered_and_never_are_two_under_way(supervise):
    supervisor = supervise(workers=2)
    old = supervisor.until(lambda: len(supervisor.workers()) == 2 and supervisor.workers())
    seen = [old]

    def rolled_twice():
        if supervisor.workers() != seen[-1]:
            seen.append(supervisor.workers())
        return supervisor.starts() == 6 and len(supervisor.workers()) == 2

    supervisor.process.send_signal(signal.SIGHUP)
    supervisor.until(lambda: supervisor.starts() > 2)
    supervisor.process.send_signal(signal.SIGHUP)
    supervisor.process.send_signal(signal.SIGHUP)
    supervisor.until(rolled_twice, within=60)
    time.sleep(0.5)

    assert supervisor.starts() == 6, "three signals, two of them during the first roll: two rolls"
    assert max(len(workers) for workers in seen) == 3, "one more than asked for, at most"


def test_workers_that_die_at_once_end_the_supervisor_instead_of_restarting_for_ever(supervise):
    supervisor = supervise(workers=1, command=(sys.executable, "-c", "raise SystemExit(1)"), LONGEST_PAUSE_S=0.2)

    assert supervisor.process.wait(30) == 3


def test_orphans_that_the_supervisor_adopts_are_reaped(supervise, tmp_path):
    if sys.platform != "linux":
        pytest.skip("only Linux has subreapers")
    supervisor = supervise(workers=1, command=(sys.executable, "-c", LEAVES_AN_ORPHAN, str(tmp_path / "orphan")))
    supervisor.until((tmp_path / "orphan").exists)
    orphan = Path("/proc") / (tmp_path / "orphan").read_text()

    assert f"PPid:\t{supervisor.process.pid}\n" in (orphan / "status").read_text()
    supervisor.until(lambda: not orphan.exists())  # a zombie would still stand there


def test_the_metrics_listener_adds_up_what_workers_wrote(supervise):
    supervisor = supervise(workers=2)
    supervisor.until(lambda: len(supervisor.workers()) == 2)
    supervisor.ask()
    url = f"http://127.0.0.1:{supervisor.known['metrics']}/metrics"

    def text():
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.read().decode()

    supervisor.until(lambda: "# worker-1.counts counted" in text() and "# worker-2.counts counted" in text())
    assert "archway_proxy_workers 2\n" in text()


def test_a_port_that_is_taken_is_refused_with_the_settings_name():
    held = listen("X", "127.0.0.1", 0)
    with held, pytest.raises(CannotListen, match="ARCHWAY_PROXY_LISTEN: cannot listen on"):
        listen("ARCHWAY_PROXY_LISTEN", *address(held), patience_s=0.1)


def test_binding_one_bad_address_leaves_no_other_port_open():
    free = listen("X", "127.0.0.1", 0)
    where = address(free)
    free.close()

    with pytest.raises(CannotListen):
        bind(Listeners(proxy=where, internal=("192.0.2.1", 1), metrics=("127.0.0.1", 0)))

    listen("X", *where, patience_s=0.1).close()


def full_disk(supervisor):
    resource.prlimit(supervisor.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def mend():
        resource.prlimit(supervisor.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

    return mend


def removed_folder(supervisor):
    shutil.rmtree(supervisor.file.parent)
    return supervisor.file.parent.mkdir


def file_in_the_way(supervisor):
    supervisor.file.unlink()
    supervisor.file.mkdir()
    (supervisor.file / "something").touch()

    def mend():
        shutil.rmtree(supervisor.file)

    return mend


def no_descriptors(supervisor):
    before = resource.prlimit(supervisor.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(supervisor.process.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    return lambda: resource.prlimit(supervisor.process.pid, resource.RLIMIT_NOFILE, before)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process")
@pytest.mark.parametrize("spoil", [full_disk, removed_folder, file_in_the_way, no_descriptors])
def test_a_worker_that_dies_while_nothing_can_be_written_is_replaced_and_the_supervisor_goes_on(
    supervise, spoil, tmp_path
):
    inner = tmp_path / "run"
    inner.mkdir()
    supervisor = supervise(workers=2, ports=inner / "ports.json", _NO_ROOM_S=0.1)
    known = supervisor.until(lambda: len(supervisor.workers()) == 2 and supervisor.known)
    supervisor.ask()
    mend = spoil(supervisor)

    victim = known["workers"][0][0]
    os.kill(victim, signal.SIGKILL)
    supervisor.until(lambda: not Path(f"/proc/{victim}").exists())
    time.sleep(0.5)  # it has had the time to fail
    supervisor.ask_at(known["proxy"])
    assert supervisor.process.poll() is None
    mend()

    supervisor.until(lambda: len(supervisor.workers()) == 2 and victim not in supervisor.workers())
    supervisor.process.terminate()
    assert supervisor.process.wait(60) == 0


def test_a_start_without_a_folder_for_counts_serves_all_the_same(supervise, tmp_path, monkeypatch, caplog):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "counts").write_text("in the way")
    supervisor = supervise(workers=1, ports=tmp_path / "run" / "ports.json")
    supervisor.until(supervisor.workers)
    supervisor.ask()
    assert supervisor.said("the workers' counts cannot be told")
    with urllib.request.urlopen(f"http://127.0.0.1:{supervisor.known['metrics']}/metrics", timeout=30) as answer:
        assert "archway_proxy_workers 1" in answer.read().decode()


def test_no_temporary_folder_is_no_reason_not_to_start(monkeypatch):
    def none(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run.tempfile, "mkdtemp", none)
    assert run._counts_folder(None) == run.NO_FOLDER
