from typing import Any

import pytest

from proxy.refusals import Refusal
from proxy.upstream.way_out import PIN_LEGACY, way_out
from tests.fakes.call_parts import installation


def refused(reason: str = "upstream_status", status: int = 400, **more: Any) -> Refusal:
    return Refusal(reason, server="server", status=status, seconds=10, limit=1, unit="bytes", **more)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_with_its_target(status: int) -> None:
    at = installation(url="https://x.example/mcp")
    told = way_out(refused(status=status, location="/mcp/"), at)
    assert told == "It redirects to https://x.example/mcp/: enter that URL."


@pytest.mark.parametrize(
    ("url", "said"),
    [("https://x.example", True), ("https://x.example/", True), ("https://x.example/sse", False)],
)
def test_a_url_without_a_path_is_what_an_admin_looks_at(url: str, said: bool) -> None:
    told = way_out(refused(status=404), installation(url=url))
    assert told.startswith("Check the path of the URL.")
    assert ("The URL has no path" in told) is said


@pytest.mark.parametrize(
    ("headers", "told"),
    [([], "It was asked without a credential"), ([("authorization", "Bearer x")], "Give another one")],
)
def test_a_refused_credential_is_another_matter_than_none(headers: list[tuple[str, str]], told: str) -> None:
    refusal = refused("upstream_credential", 401)
    assert way_out(refusal, installation(credential_headers=headers)).startswith(told)


def test_a_server_that_offers_oauth_is_not_said_to_want_another_key_alone() -> None:
    told = way_out(refused("upstream_credential", 401, offers_oauth=True), installation())
    assert told.startswith("It offers a sign-in by OAuth, which Archway cannot do yet.")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "Invalid Host header"),
        (421, "Invalid Origin header"),
        (403, "DNS rebinding protection"),
        (403, "Host not allowed"),
    ],
)
def test_a_server_that_refuses_its_host_name_does_not_refuse_the_credential(status: int, said: str) -> None:
    reason = "upstream_credential" if status == 403 else "upstream_status"
    assert way_out(refused(reason, status, said=said), installation()).startswith("It refuses the host name")


@pytest.mark.parametrize("status", [400, 406, 415, 422, 428])
def test_a_missing_header_is_named_as_a_way_out(status: int) -> None:
    assert "--header NAME" in way_out(refused(status=status), installation())


def test_an_error_that_speaks_of_a_header_is_one() -> None:
    told = way_out(refused("upstream_error", 200, said="Missing header X-Region"), installation())
    assert "--header NAME" in told
    assert way_out(refused("upstream_error", 200, said="No region"), installation()) == ""


@pytest.mark.parametrize(
    ("refusal", "protocol", "era", "pinned"),
    [
        (refused("upstream_slow"), "auto", "", True),
        (refused("upstream_slow"), "legacy", "", False),
        (refused("upstream_slow"), "auto", "legacy", False),
        (refused("upstream_slow", kind="unanswered", detail="ConnectTimeout: x"), "auto", "", False),
        (refused("upstream_error", 200, said="no such method"), "auto", "modern", True),
        (refused("upstream_status", 500), "auto", "modern", True),
        (refused("upstream_credential", 401), "auto", "modern", False),
        (refused("upstream_status", 500), "auto", "", False),
    ],
)
def test_the_older_protocol_is_named_where_it_may_help(
    refusal: Refusal, protocol: str, era: str, pinned: bool
) -> None:
    assert (PIN_LEGACY in way_out(refusal, installation(protocol=protocol), era)) is pinned


@pytest.mark.parametrize(("protocol", "told"), [("2026-07-28", True), ("legacy", True), ("auto", False)])
def test_a_pin_that_the_server_does_not_speak_is_named(protocol: str, told: bool) -> None:
    assert ("--protocol auto" in way_out(refused("upstream_era"), installation(protocol=protocol))) is told


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert way_out(refused(status=500), installation()) == ""
