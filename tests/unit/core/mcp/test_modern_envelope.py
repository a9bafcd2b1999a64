import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.faults import HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_VERSION, MessageFault
from core.mcp.header_values import encode_sentinel
from core.mcp.modern_envelope import RoutingHeaders, check_notification, check_request, era_of, plain_meta
from core.mcp.versions import LEGACY_VERSIONS, Era

PREFIX = "io.modelcontextprotocol/"
META: dict[str, object] = {f"{PREFIX}protocolVersion": "2026-07-28", f"{PREFIX}clientCapabilities": {}}


def headers(
    version: str | None = "2026-07-28", method: str | None = "tools/call", name: str | None = "t"
) -> RoutingHeaders:
    return RoutingHeaders(version, method, name)


def params(**changes: object) -> dict[str, object]:
    """The params of a call of tool `t`, with changes to its `_meta` by the names behind the prefix."""
    return {"name": "t", "_meta": {**META, **{PREFIX + key: value for key, value in changes.items()}}}


def fault_of(
    given: dict[str, object], received: RoutingHeaders | None = None, method: str = "tools/call"
) -> MessageFault:
    with pytest.raises(MessageFault) as caught:
        check_request(9, method, given, received or headers())
    assert (caught.value.id, caught.value.http_status) == (9, 400)
    return caught.value


@pytest.mark.parametrize("version", [None, *LEGACY_VERSIONS, " 2025-06-18\t"])
def test_a_legacy_or_absent_header_over_a_plain_body_is_legacy(version: str | None) -> None:
    assert era_of({"name": "t"}, RoutingHeaders(version)) is Era.LEGACY


@pytest.mark.parametrize("version", ["2026-07-28", "2099-01-01", "", "2025-06-18, 2025-06-18"])
def test_any_other_header_is_modern(version: str) -> None:
    assert era_of(None, RoutingHeaders(version)) is Era.MODERN


@pytest.mark.parametrize("version", [None, "2025-11-25"])
def test_a_body_that_names_its_version_is_modern(version: str | None) -> None:
    assert era_of(params(), RoutingHeaders(version)) is Era.MODERN


def test_a_right_request_passes_with_its_meta() -> None:
    assert check_request(9, "tools/call", params(logLevel="info"), headers()) == {
        **META,
        f"{PREFIX}logLevel": "info",
    }


@pytest.mark.parametrize(
    "given",
    [
        {"name": "t"},
        {"name": "t", "_meta": []},
        params(protocolVersion=20260728),
        params(clientCapabilities=None),
        {"name": "t", "_meta": {f"{PREFIX}protocolVersion": "2026-07-28"}},
        {"name": "t", "_meta": {f"{PREFIX}clientCapabilities": {}}},
    ],
)
def test_an_envelope_with_a_part_missing_is_refused(given: dict[str, object]) -> None:
    assert fault_of(given).code == INVALID_PARAMS


@pytest.mark.parametrize(
    "received",
    [
        headers(version=None),
        headers(version="2025-11-25"),
        headers(version="2099-01-01"),
        headers(method=None),
        headers(method="tools/list"),
        headers(method="Tools/Call"),
        headers(name=None),
        headers(name="T"),
        headers(name="=?base64?dA?="),
        headers(name="=?BASE64?dA==?="),
        headers(name="=?base64?/w==?="),
        headers(name=""),
    ],
    ids=repr,
)
def test_a_header_that_does_not_mirror_the_body_is_refused(received: RoutingHeaders) -> None:
    assert fault_of(params(), received).code == HEADER_MISMATCH


def test_whitespace_around_a_header_is_no_part_of_it() -> None:
    check_request(9, "tools/call", params(), headers(" 2026-07-28", "tools/call\t", " t "))


@pytest.mark.parametrize("name", ["t", "caf\u00e9", "=?base64?dA==?=", " edge ", ""])
def test_an_encoded_name_mirrors_the_name_in_the_body(name: str) -> None:
    given = {**params(), "name": name}
    check_request(9, "tools/call", given, headers(name=encode_sentinel(name)))


def test_each_kind_of_call_mirrors_its_own_parameter() -> None:
    for method, parameter in {"resources/read": "uri", "prompts/get": "name", "tasks/get": "taskId"}.items():
        given: dict[str, object] = {parameter: "x", "_meta": META}
        check_request(9, method, given, headers(method=method, name="x"))
        assert fault_of(given, headers(method=method, name="y"), method).code == HEADER_MISMATCH


def test_a_missing_name_is_left_to_the_check_of_the_parameters() -> None:
    check_request(9, "tools/call", {"_meta": META}, headers(name=None))
    assert fault_of({"_meta": META}, headers(name="t")).code == HEADER_MISMATCH
    assert fault_of({"_meta": META, "name": 7}, headers(name="7")).code == HEADER_MISMATCH
    assert fault_of({"_meta": META}, headers(name="=?base64?!?=")).code == HEADER_MISMATCH


def test_a_version_that_is_not_served_is_told_which_one_is() -> None:
    fault = fault_of(params(protocolVersion="2099-01-01"), headers(version="2099-01-01"))
    assert (fault.code, fault.data) == (
        UNSUPPORTED_VERSION,
        {"supported": ["2026-07-28"], "requested": "2099-01-01"},
    )


def test_a_legacy_version_in_an_envelope_is_not_served_either() -> None:
    fault = fault_of(params(protocolVersion="2025-11-25"), headers(version="2025-11-25"))
    assert fault.code == UNSUPPORTED_VERSION


def test_faults_rank_envelope_then_headers_then_version_then_log_level() -> None:
    wrong = params(protocolVersion="2099-01-01", logLevel="loud")
    assert fault_of({"name": "t"}, headers(method="x", version="2099-01-01")).code == INVALID_PARAMS
    assert fault_of(wrong, headers(method="x", version="2099-01-01")).code == HEADER_MISMATCH
    assert fault_of(wrong, headers(version="2099-01-01")).code == UNSUPPORTED_VERSION
    assert fault_of(params(logLevel="loud")).code == INVALID_PARAMS


def test_an_unknown_method_ranks_before_a_wrong_log_level() -> None:
    check_request(9, "ping", params(logLevel="loud"), headers(method="ping"))


def test_a_log_level_of_another_type_is_refused() -> None:
    assert fault_of(params(logLevel=["info"])).code == INVALID_PARAMS


def test_a_notification_needs_no_envelope() -> None:
    check_notification("notifications/cancelled", {}, RoutingHeaders("2026-07-28"))
    check_notification("notifications/cancelled", params(), headers(method="notifications/cancelled"))


@pytest.mark.parametrize(
    ("given", "received", "code"),
    [
        (params(), RoutingHeaders("2025-11-25"), HEADER_MISMATCH),
        (params(), RoutingHeaders(), HEADER_MISMATCH),
        ({}, RoutingHeaders("2026-07-28", "notifications/progress"), HEADER_MISMATCH),
        ({}, RoutingHeaders("2099-01-01"), UNSUPPORTED_VERSION),
    ],
)
def test_what_a_notification_carries_must_agree(
    given: dict[str, object], received: RoutingHeaders, code: int
) -> None:
    with pytest.raises(MessageFault) as caught:
        check_notification("notifications/cancelled", given, received)
    assert (caught.value.code, caught.value.id, caught.value.http_status) == (code, None, 400)


VERSIONS = st.sampled_from(["2026-07-28", " 2026-07-28", "2025-11-25", "2099-01-01", ""])
METHODS = st.sampled_from(["tools/call", "tools/list", "resources/read", "no/such", " tools/call", "tools/call "])
SENTINELS = [
    "=?base64?dA==?=",
    "=?base64?dA?=",
    "=",
    "=?",
    " t",
    "t ",
    "t\t",
    "a\tb",
    "",
    "caf\xe9",
    "\x7f",
    "a b",
    "t~",
]
PLAIN_OR_NOT = st.sampled_from(["t", *SENTINELS]) | st.text(max_size=4)


@given(st.data())
def test_what_the_quick_look_is_certain_of_climbs_the_ladder(data: st.DataObject) -> None:
    version, method, name = data.draw(VERSIONS), data.draw(METHODS), data.draw(PLAIN_OR_NOT)
    meta = data.draw(
        st.fixed_dictionaries(
            {f"{PREFIX}protocolVersion": st.just(version) | VERSIONS | st.just(1)},
            optional={
                f"{PREFIX}clientCapabilities": st.sampled_from([{}, {"a": 1}, None]),
                f"{PREFIX}logLevel": st.sampled_from(["info", "loud", None]),
                "traceparent": st.just("x"),
            },
        )
        | st.sampled_from([None, [], "x"])
    )
    body: dict[str, object] = {"_meta": meta} | data.draw(
        st.fixed_dictionaries({}, optional={"name": st.just(name) | st.just(1), "uri": st.just(name)})
    )
    received = headers(
        data.draw(st.just(version) | VERSIONS | st.none()),
        data.draw(st.just(method) | METHODS | st.none()),
        data.draw(st.just(name) | PLAIN_OR_NOT | st.none()),
    )
    found = plain_meta(method, body, received)
    if found is not None:
        assert era_of(body, received) is Era.MODERN
        assert check_request(9, method, body, received) is found


def test_the_quick_look_is_certain_of_the_usual_call() -> None:
    usual = params(clientInfo={"name": "a client"})
    assert plain_meta("tools/call", usual, headers()) is usual["_meta"]
    assert plain_meta("tools/call", params(logLevel="info"), headers()) is None
