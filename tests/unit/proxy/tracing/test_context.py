import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.tracing.context import Parent, baggage_of, parent_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_the_messages_context_goes_before_the_headers() -> None:
    other = f"00-{'1' * 32}-{'2' * 16}-00"
    assert parent_of({"traceparent": PARENT}, {"traceparent": other}) == Parent(TRACE, SPAN, sampled=True)
    assert parent_of({}, {"traceparent": other}) == Parent("1" * 32, "2" * 16, sampled=False)


def test_the_state_comes_from_where_the_parent_comes_from() -> None:
    found = parent_of({"traceparent": PARENT}, {"traceparent": PARENT, "tracestate": "a=1"})
    assert found is not None
    assert found.state == ""
    found = parent_of({}, {"traceparent": PARENT, "tracestate": "a=1"})
    assert found is not None
    assert found.state == "a=1"


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", 7, None, ["x"],
        f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}-1", f"00-{TRACE}-{SPAN}-01-more", f"{PARENT}\n",
        f"01-{TRACE}-{SPAN}-01-{'x' * 300}",
    ],
)  # fmt: skip
def test_what_is_no_parent_is_none(text: object) -> None:
    assert parent_of({"traceparent": text}, {"traceparent": PARENT}) is None


def test_a_later_version_is_read_as_ours_and_passed_on_as_ours() -> None:
    found = parent_of({"traceparent": f"cc-{TRACE}-{SPAN}-03-more"}, {})
    assert found is not None
    assert (found.sampled, found.text) == (True, PARENT)


@pytest.mark.parametrize("state", ["", "ä", "a\nb", "x" * 513, 5, None])
def test_a_state_that_cannot_be_a_header_is_dropped_and_the_parent_stays(state: object) -> None:
    assert parent_of({"traceparent": PARENT, "tracestate": state}, {}) == Parent(TRACE, SPAN, sampled=True)


@given(st.one_of(st.text(), st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True)))
def test_whatever_is_believed_can_be_sent(text: str) -> None:
    found = parent_of({"traceparent": text}, {})
    if found is not None:
        again = parent_of({"traceparent": found.text}, {})
        assert again == Parent(found.trace_id, found.span_id, found.sampled)


@pytest.mark.parametrize(
    ("listed", "passed"),
    [((), ""), (("tenant",), "tenant=a;x=1"), (("tenant", "user"), "tenant=a;x=1,user=u"), (("ten",), "")],
)
def test_only_listed_baggage_passes(listed: tuple[str, ...], passed: str) -> None:
    text = "tenant=a;x=1, user=u,secret=s"
    assert baggage_of({"baggage": text}, {}, listed) == passed
    assert baggage_of({}, {"baggage": text}, listed) == passed


@pytest.mark.parametrize("text", ["tenant=ä", "tenant=a\r\nx: y", "tenant=" + "x" * 9000, 4])
def test_baggage_that_cannot_be_a_header_is_dropped(text: object) -> None:
    assert baggage_of({"baggage": text}, {}, ("tenant",)) == ""
