"""The supervisor's program: what it is told by its command line, and the status with which it ends."""

import logging
import sys
from pathlib import Path

import pytest

from archway.supervisor import __main__ as program
from archway.supervisor.crew import NoWorkerLives
from archway.supervisor.orders import Listeners, Supervision, as_argument
from archway.supervisor.sockets import CannotListen

NOBODYS = ("192.0.2.1", 9)
ORDERS = Supervision(Listeners(NOBODYS, NOBODYS, NOBODYS), 3, 1.5)


@pytest.fixture(autouse=True)
def _the_log_of_the_tests_comes_back(monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers[:])
    level = root.level
    yield
    root.setLevel(level)


def ended(monkeypatch, *further: str, by: BaseException | None = None):
    """Its status, and with what it called a `supervise` that ends `by` this."""
    told = []

    async def supervise(orders, render, ports_file):
        told.extend((orders, ports_file))
        if by is not None:
            raise by

    monkeypatch.setattr(program, "supervise", supervise)
    monkeypatch.setattr(sys, "argv", ["supervisor", as_argument(ORDERS), *further])
    with pytest.raises(SystemExit) as end:
        program.main()
    return end.value.code, told


def test_it_passes_on_its_orders_and_ends_well(monkeypatch):
    assert ended(monkeypatch) == (0, [ORDERS, None])


def test_its_second_argument_is_the_ports_file(monkeypatch):
    assert ended(monkeypatch, "/state/ports.json") == (0, [ORDERS, Path("/state/ports.json")])


@pytest.mark.parametrize(
    ("by", "status", "said"),
    [
        (CannotListen("the port is taken"), 2, "the port is taken\n"),
        (NoWorkerLives("no worker lives"), 1, "no worker lives; the last lines above say why\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=["cannot listen", "no worker lives", "interrupted"],
)
def test_its_end_has_a_status_and_a_sentence(monkeypatch, capsys, by, status, said):
    assert ended(monkeypatch, by=by)[0] == status
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(("by", "status"), [(CannotListen("taken"), 2), (NoWorkerLives("died"), 1)])
def test_the_status_is_told_where_nobody_takes_the_sentence(monkeypatch, by, status):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

        flush = fileno = write

    monkeypatch.setattr(sys, "stderr", Full())
    assert ended(monkeypatch, by=by)[0] == status
