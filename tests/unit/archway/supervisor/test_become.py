import subprocess
import sys

# An address of nobody (RFC 5737): the supervisor ends at once, with its own words.
BECOMES = """
from archway.supervisor.become import become_supervisor
from archway.supervisor.orders import Listeners, Supervision
nobodys = ("192.0.2.1", 9)
become_supervisor(Supervision(Listeners(nobodys, nobodys, nobodys), 1, 1.0), None)
"""


def test_the_process_of_the_command_line_becomes_the_supervisor_and_ends_with_its_words():
    done = subprocess.run([sys.executable, "-c", BECOMES], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("ARCHWAY_PROXY_LISTEN: cannot listen on 192.0.2.1:9: ")
    assert len(done.stderr.splitlines()) == 1
