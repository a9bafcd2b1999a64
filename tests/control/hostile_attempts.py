"""What a hostile server can do beside the platform: run as a program, as whoever is to run the platform.

`python -m tests.control.hostile_attempts FOLDER` starts two servers in the process runtime. One of them does as it is
told, and is told to do harm; what came of each attempt is printed as one JSON object. FOLDER stands for the state
folder: nobody else may enter it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from control.processes.runtime import ProcessRuntime
from tests.control.obedient_server import told, wanted

OUTLIVES = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; open('left', 'w'); time.sleep(600) #MARK"])
    os._exit(0)
os.wait()
while not os.path.exists("left"):
    time.sleep(0.01)
said = "left"
"""


def running_with(mark: str) -> list[int]:
    """Processes whose command line holds the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (folder / "cmdline").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def another_program() -> subprocess.Popen[bytes]:
    """One of the platform's, with a number that none of a server's few programs has where only they are counted."""
    for _ in range(60):
        _ = subprocess.run(["true"], check=True)
    return subprocess.Popen(["sleep", "600"])


async def attempts(folder: Path) -> dict[str, object]:
    """Each attempt by its name, and what the server said of it."""
    (folder / "keys.env").write_text("secret")
    (folder / "keys.env").chmod(0o600)
    runtime = ProcessRuntime(folder / "servers", range(1_900_000_000, 1_900_100_000), (), ())
    states, changed = {}, asyncio.Event()

    async def report(state: object) -> None:
        states[state.installation_id] = state
        changed.set()

    async def ready(name: str) -> str:
        async with asyncio.timeout(90):
            while name not in states or states[name].phase != "ready":
                changed.clear()
                await changed.wait()
        return states[name].endpoint

    keeping = asyncio.create_task(runtime.run(report, print))  # noqa: TID251 (a program of its own)
    hostile, other, mark = str(uuid4()), str(uuid4()), uuid4().hex
    bystander = another_program()
    gateway = socket.create_server(("127.0.0.1", 0))
    port, found = gateway.getsockname()[1], {}
    try:
        await runtime.apply(wanted(installation_id=hostile))
        await runtime.apply(wanted(installation_id=other, secret_environment={"TOKEN": "of the other one"}))
        at, _ = await ready(hostile), await ready(other)
        home, log = (str(folder / "servers" / one) for one in (f"homes/{other}", f"logs/{other}.log"))
        for name, code in (
            ("its user", "import os; said = os.getuid()"),
            ("sees", "import os; said = sorted(os.environ)"),
            ("writes its own folder", "import os; open(os.environ['HOME'] + '/own', 'w').close(); said = 'written'"),
            ("writes to /tmp", "open('/tmp/own', 'w').close(); said = 'written'"),
            ("reads the state folder", f"said = open({str(folder / 'keys.env')!r}).read()"),
            ("lists the state folder", f"import os; said = 'keys.env' in os.listdir({str(folder)!r})"),
            ("reads another server's folder", f"import os; said = os.listdir({home!r})"),
            ("reads another server's log", f"said = open({log!r}).read()"),
            ("reads environments of others", ENVIRONMENTS),
            ("takes the gateway's port", f"import socket; said = socket.create_server(('127.0.0.1', {port}))"),
            ("takes it for all", f"import socket; said = socket.create_server(('', {port}), reuse_port=True)"),
            ("signals the platform", f"import os; os.kill({bystander.pid}, 0); said = 'signalled'"),
            ("traces the platform", f"import ctypes; said = ctypes.CDLL(None).ptrace(16, {bystander.pid}, 0, 0)"),
            ("becomes root", "import os; os.setuid(0); said = os.getuid()"),
            ("writes where programs are", f"said = open({sys.executable + '.new'!r}, 'w')"),
            ("uncovers what is hidden", UNCOVERS.replace("FOLDER", str(folder))),
            ("uses more memory than it may", "said = len(bytearray(1 << 30))"),
            ("opens more files than it may", "said = [open('/dev/null') for _ in range(2000)]"),
        ):  # fmt: skip
            found[name] = await asyncio.to_thread(told, at, code)
        found["isolation"] = states[hostile].isolation
        found["left"] = await asyncio.to_thread(told, at, OUTLIVES.replace("MARK", mark))
        found["ran before it was removed"] = len(running_with(mark))
        await runtime.remove(hostile)
        found["runs after it was removed"] = len(running_with(mark))
        found["present"] = sorted(await runtime.present()) == [other]
    finally:
        keeping.cancel()
        _ = await asyncio.wait({keeping})
        gateway.close()
        bystander.kill()
        bystander.wait()
    return found


ENVIRONMENTS = """
import glob
said = []
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        said.append(b"of the other one" in open(path, "rb").read())
    except OSError:
        pass
said = any(said)
"""
UNCOVERS = """
import ctypes, os
library = ctypes.CDLL(None)
library.unshare(0x10000000 | 0x00020000)
said = [library.umount2(path.encode(), 2) for path in ("FOLDER", "FOLDER/servers", "/tmp", "/")]
said = os.path.exists("FOLDER/keys.env")
"""

if __name__ == "__main__":
    print(json.dumps(asyncio.run(attempts(Path(sys.argv[1])))))
