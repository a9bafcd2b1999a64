import pytest

from control.processes.limits import limits_of
from control.registry.self_hosted import USUAL, Resources


@pytest.mark.parametrize(
    ("quantity", "amount"), [("512Mi", 512 << 20), ("1Gi", 1 << 30), ("100M", 100_000_000), ("67108864", 64 << 20)]
)
def test_the_memory_limit_is_held_as_kubernetes_writes_it(quantity, amount):
    assert limits_of(Resources(memory_limit=quantity), counted_alone=True)["DATA"] == amount


def test_processes_are_counted_only_where_they_are_its_own_alone():
    assert limits_of(USUAL, counted_alone=True)["NPROC"] == 256
    assert "NPROC" not in limits_of(USUAL, counted_alone=False)


def test_it_leaves_no_core_and_opens_and_writes_only_so_much():
    limits = limits_of(USUAL, counted_alone=False)
    assert (limits["CORE"], limits["NOFILE"], limits["FSIZE"]) == (0, 1024, 2 << 30)
