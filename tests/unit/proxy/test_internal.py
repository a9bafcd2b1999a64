import msgspec
import pytest

from core.internal_call import MAX_ANSWER, InternalCalls
from core.keys import new_key, parse_key_ring
from core.probes import Probe
from proxy.internal import encoded


@pytest.mark.parametrize("part", ["tools", "rejected", "notes", "sentence"])
def test_more_than_control_takes_becomes_a_fault(part: str) -> None:
    text = "x" * MAX_ANSWER
    much: dict[str, object] = {"tools": [{"name": text}], "sentence": text}
    answer = encoded(Probe(era="modern", **{part: much.get(part, [("a", text)])}))  # type: ignore[arg-type] # any part
    found = msgspec.msgpack.decode(answer, type=Probe)
    assert (found.fault, found.era) == ("upstream_too_large", "")


def test_the_largest_answer_that_is_sent_is_taken_when_it_is_sealed() -> None:
    probe = Probe(sentence="x" * (MAX_ANSWER - 1100))
    answer = encoded(probe)
    assert msgspec.msgpack.decode(answer, type=Probe) == probe
    calls = InternalCalls(parse_key_ring("x", new_key()), caller="control", answerer="proxy")
    assert len(calls.seal_answer("id", answer)) <= MAX_ANSWER
