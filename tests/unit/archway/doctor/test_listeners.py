import os
import socket

import pytest

from archway.doctor.listeners import check_ports, listener, program
from archway.status.facts import Facts, ProcessFact


@pytest.fixture
def held():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def facts(running=False, processes=()):
    return Facts("/s", running, None, None, None, None, list(processes))


def test_the_pid_that_listens_is_found(held):
    assert listener(held) == os.getpid()
    assert program(os.getpid())


def test_a_port_that_a_stranger_took_is_worth_knowing_before_the_next_start(held):
    (finding,) = check_ports({"proxy": held}, facts())

    assert not finding.wrong
    assert f"pid {os.getpid()}" in finding.what
    assert "--proxy-port" in finding.cure


def test_a_running_deployment_that_lost_its_port_to_a_stranger_is_wrong(held):
    (finding,) = check_ports({"proxy": held}, facts(running=True))

    assert finding.wrong


def test_a_port_held_by_our_own_process_is_as_it_should_be(held):
    assert check_ports({"proxy": held}, facts(True, [ProcessFact("proxy", os.getpid(), True)])) == []
