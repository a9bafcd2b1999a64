"""`archway up` as a person runs it: the real command, real servers, a fresh state folder."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ARCHWAY = (sys.executable, "-m", "archway")


@dataclass(slots=True)
class Up:
    """One state folder and the commands on it."""

    state: Path
    said: str = ""

    def run(self, *arguments: str, within: float = 150) -> subprocess.CompletedProcess:
        """`archway ARGUMENTS --state ...`."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("ARCHWAY_")}
        return subprocess.run(
            [*ARCHWAY, *arguments, "--state", str(self.state)],
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
            env=own,
        )

    def up(self, *options: str) -> None:
        """Start detached, without what comes by itself later; fails with what it said."""
        done = self.run("up", "--detach", "--no-servers", "--proxy-port", "0", "--control-port", "0", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        self.said = done.stdout

    def down(self) -> None:
        """Stop; fails with what it said."""
        done = self.run("down")
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def file(self) -> dict:
        """`up.json`."""
        return json.loads((self.state / "up.json").read_text())

    @property
    def lock(self) -> dict:
        """What the file of the lock says of who holds it."""
        return json.loads((self.state / "lock").read_text())

    @property
    def command(self) -> str:
        """The printed curl command."""
        (line,) = [line for line in self.said.splitlines() if line.startswith("curl ")]
        return line

    def call(self) -> dict:
        """Paste the printed command; its answer, {} when that is not JSON."""
        done = subprocess.run(["bash", "-c", self.command], capture_output=True, text=True, timeout=90, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {"trouble": done.stdout + done.stderr}

    def works(self) -> bool:
        """Whether the printed command gives the tool's result."""
        result = self.call().get("result", {})
        return not result.get("isError") and "datetime" in json.dumps(result)

    def processes(self) -> dict[int, str]:
        """Living processes that belong to this state: its path is in their command line, environment or folder."""
        found = {}
        needle = str(self.state).encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                words += bytes((process / "cwd").readlink())  # servers overwrite their command line
            except OSError:
                continue
            if needle in words and int(process.name) != os.getpid():
                found[int(process.name)] = words.split(b"\0")[0].decode()
        return found


def until(true, within: float = 90.0):
    """Wait for a condition; its value."""
    deadline = time.monotonic() + within
    while not (value := true()):
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.1)
    return value


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One deployment for a whole file."""
    up = Up(tmp_path_factory.mktemp("up") / "state")
    up.up()
    yield up
    up.run("down")


@pytest.fixture
def fresh(tmp_path):
    """A state folder in which nothing runs yet."""
    up = Up(tmp_path / "state")
    yield up
    up.run("down")
