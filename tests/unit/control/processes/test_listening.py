"""What the kernel says of a port."""

import os
import socket
import subprocess
import sys

import pytest

from control.processes.listening import is_its_own
from control.processes.server import free_port

LISTENS = """
import os, socket, sys, time
if os.fork() == 0:
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    listening = socket.create_server((sys.argv[1], 0), family=family, dualstack_ipv6=family == socket.AF_INET6)
    print(listening.getsockname()[1], flush=True)
    sys.stdin.read()
os.wait()
"""


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "::"])
def listening(request):
    """A program whose child listens, and its port."""
    command = (sys.executable, "-c", LISTENS, request.param)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        yield program.pid, int(program.stdout.readline())
        program.stdin.close()


@pytest.mark.parametrize("user", [None, os.geteuid()])
def test_what_a_program_or_its_child_listens_on_is_its_own(listening, user):
    pid, port = listening
    assert is_its_own(port, pid, user)


def test_what_somebody_else_listens_on_is_not(listening):
    _, port = listening
    with subprocess.Popen(("sleep", "600")) as another:
        assert not is_its_own(port, another.pid, None)
        another.kill()
    assert not is_its_own(port, os.getpid(), os.geteuid() + 1)


def test_where_nobody_listens_nobody_else_does():
    assert is_its_own(free_port(), os.getpid(), None)


def test_a_socket_beside_it_that_calls_to_it_do_not_reach_means_nothing():
    with socket.create_server(("127.0.0.2", 0)) as beside:
        assert is_its_own(beside.getsockname()[1], 1, os.geteuid() + 1)
