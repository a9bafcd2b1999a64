import pytest

from core.acknowledgements import (
    LARGEST,
    PURPOSE,
    Acknowledgement,
    AcknowledgementBroken,
    open_acknowledgement,
    seal_acknowledgement,
)
from core.keys import new_key, parse_key_ring
from core.sealing import Sealer

SEALER = Sealer(parse_key_ring("proxy", new_key()), PURPOSE)
SAID = Acknowledgement("1-a", "h" * 255, 4711, "e" * 16, 10**12, 1.5)


def test_what_a_worker_said_comes_back_whole_and_is_small() -> None:
    sealed = seal_acknowledgement(SAID, SEALER)
    assert open_acknowledgement("1-a", sealed, SEALER) == SAID
    assert len(sealed) < LARGEST


def test_it_counts_for_no_other_worker() -> None:
    with pytest.raises(AcknowledgementBroken):
        open_acknowledgement("1-b", seal_acknowledgement(SAID, SEALER), SEALER)


@pytest.mark.parametrize(
    "sealed",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"x" * 200, id="no seal"),
        pytest.param(SEALER.seal(b"\x90", "1-a"), id="sealed, but no object"),
        pytest.param(SEALER.seal(b"", "1-a"), id="sealed, but empty"),
    ],
)
def test_what_is_no_word_of_a_worker_is_refused(sealed: bytes) -> None:
    with pytest.raises(AcknowledgementBroken):
        open_acknowledgement("1-a", sealed, SEALER)


def test_who_has_not_the_proxy_key_speaks_for_nobody() -> None:
    foreign = Sealer(parse_key_ring("proxy", new_key()), PURPOSE)
    with pytest.raises(AcknowledgementBroken):
        open_acknowledgement("1-a", seal_acknowledgement(SAID, foreign), SEALER)
