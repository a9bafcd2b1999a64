import os
import subprocess
import sys

# An address of nobody (RFC 5737): the supervisor ends at once, with its own words.
BECOMES = """
import sys
from archway.supervisor.become import become_supervisor
from archway.supervisor.orders import Listeners, Supervision
sys.stdout.write("out of ")
sys.stderr.write("a buffer: ")
nobodys = ("192.0.2.1", 9)
become_supervisor(Supervision(Listeners(nobodys, nobodys, nobodys), 1, 1.0), None)
"""


def test_the_process_of_the_command_line_becomes_the_supervisor_and_loses_no_words():
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    done = subprocess.run(
        [sys.executable, "-c", BECOMES], capture_output=True, text=True, check=False, timeout=30, env=buffered
    )

    assert done.returncode == 2
    assert done.stderr.startswith("a buffer: ARCHWAY_PROXY_LISTEN: cannot listen on 192.0.2.1:9: ")
    assert done.stdout == "out of "
    assert len(done.stderr.splitlines()) == 1
