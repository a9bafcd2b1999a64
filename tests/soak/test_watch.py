import os
import socket

import pytest

from tests.soak.watch import HOUR, MIB, Life, descriptors, growth_of


def life(hours: float, mib_per_hour: float, first_mib: float = 0.0) -> Life:
    """Memory that jumps by `first_mib` at a tenth of its life, and grows steadily besides."""
    samples = []
    for step in range(101):
        at = hours * HOUR * step / 100
        grown = mib_per_hour * at / HOUR + (first_mib if step >= 10 else 0.0)
        samples.append((at, int((80 + grown) * MIB)))
    return Life("worker", 0.0, samples)


@pytest.mark.parametrize(
    ("hours", "rate", "too_much"), [(2, 4, False), (2, 9, True), (8, 6, True), (0.05, 40, False)]
)
def test_steady_growth_is_judged_by_its_rate_and_not_below_noise(hours: float, rate: float, too_much: bool) -> None:
    growth = growth_of(life(hours, rate))
    assert growth is not None
    assert growth.mib_per_hour == pytest.approx(rate, rel=0.05)
    assert growth.too_much is too_much


def test_what_a_process_gains_while_it_settles_is_no_growth() -> None:
    growth = growth_of(life(1, 0, first_mib=60))
    assert growth is not None
    assert not growth.too_much


def test_a_life_of_a_moment_says_nothing() -> None:
    assert growth_of(Life("worker", 0.0, [(0.0, 1), (0.1, 2)])) is None


def test_connections_to_one_port_are_counted_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port = one.getsockname()[1]
        own, apart = descriptors([os.getpid()], apart=port)
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(other.getsockname()):
            assert descriptors([os.getpid()], apart=port) == (own + 1, apart + 1)
