import socket

import pytest

from archway.up.ports import PortTaken, free_port, is_free, settle


@pytest.fixture
def held():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_somebody_listens_on_is_not_free(held):
    assert not is_free(held)


def test_last_times_port_is_taken_again():
    port = free_port()

    assert settle("metrics", None, port, set()) == port


def test_another_port_is_taken_when_last_times_is_held(held):
    assert settle("metrics", None, held, set()) != held


def test_a_port_asked_for_by_number_is_never_replaced_by_another(held):
    with pytest.raises(PortTaken, match=f"--proxy-port {held} is in use"):
        settle("proxy", held, None, set())


def test_zero_takes_any_free_port_rather_than_the_preferred_one():
    assert settle("proxy", 0, None, set()) not in {0, 8400}


def test_two_listeners_never_get_one_port():
    port, taken = free_port(), set()

    assert settle("metrics", None, port, taken) != settle("demo", None, port, taken)
