from typing import get_args

import pytest

from core.egress import UpstreamFault
from core.egress_faults import Reason
from proxy.refusals import TABLE
from proxy.upstream.faults import MAX_TEXT, TRANSPORT, refusal_of, upstream_text
from tests.fakes.call_parts import connection


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_fault_of_the_transport_has_a_sentence_that_names_the_server(reason: Reason) -> None:
    fault = UpstreamFault(reason, sent=True, detail="10.1.2.3 said secret things")
    refusal = refusal_of(fault, connection(entry="weather"), seconds=1.5, limit=7)

    assert refusal.reason in TABLE
    assert refusal.sentence.startswith("weather ")
    assert "10.1.2.3" not in refusal.sentence


def test_what_the_policy_forbids_and_what_is_too_large_say_nothing_about_health() -> None:
    assert not TRANSPORT & {"upstream_forbidden", "upstream_too_large"}
    assert set(TABLE) >= TRANSPORT


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("plain", "plain"),
        ("two\nlines\tand tab", "two\nlines\tand tab"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x00b\x07c\x9bd\r", "abcd"),
        ("x" * 5000, "x" * MAX_TEXT),
        (None, ""),
        ({"a": 1}, ""),
    ],
)
def test_an_upstreams_words_lose_their_controls_and_their_length(said: object, told: str) -> None:
    assert upstream_text(said) == told
