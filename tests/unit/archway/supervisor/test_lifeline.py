import subprocess
import sys

import pytest

LOOP = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
print("up", flush=True)
time.sleep(60)
"""
STUCK = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\nwhile True: pass"
)


def start(tmp_path, code):
    (tmp_path / "some_worker.py").write_text(code)
    return subprocess.Popen(
        [sys.executable, "-m", "archway.supervisor.lifeline", "some_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(tmp_path)},
    )


@pytest.mark.parametrize(("code", "status"), [(LOOP, 5), (STUCK, -9)], ids=["asked to stop", "killed when stuck"])
def test_a_worker_ends_when_its_supervisor_lets_go(tmp_path, code, status):
    with start(tmp_path, code) as worker:
        worker.stdout.readline()

        worker.stdin.close()

        assert worker.wait(15) == status
