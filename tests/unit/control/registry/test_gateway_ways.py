"""Which ways into a gateway are shut, and whether one is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control.registry.gateway_ways import WaysIn, may_be_shut, shut_ways

OPEN = WaysIn("desk", {}, pages_kept=True, provider=None, has_token=False)
OFF = "The identity provider Corp is switched off, so no token of its opens this gateway."
GONE = replace(OPEN, allowed={"claude": "gone"})


def test_a_gateway_that_lets_in_every_client_is_open() -> None:
    assert shut_ways(OPEN) == ("", [])


def test_a_gateway_whose_only_client_was_deleted_has_no_way_in_but_tokens() -> None:
    reason, warnings = shut_ways(GONE)
    assert reason.startswith(
        "No way in is open: nobody who sees it has a token, and the only OAuth client that it lets in was deleted: "
        "claude. Name another: archway gateways update desk --add-client CLIENT_ID."
    )
    assert warnings == []


def test_where_somebody_has_a_token_it_is_a_warning() -> None:
    reason, (warning,) = shut_ways(replace(GONE, has_token=True))
    assert reason == ""
    assert warning.startswith("The only OAuth client that it lets in was deleted: claude.")


@pytest.mark.parametrize("provider", ["", None])
def test_of_several_clients_one_that_is_lost_is_a_warning(provider: str | None) -> None:
    ways = replace(OPEN, allowed={"a": "there", "b": "shut out", "c": "gone"}, provider=provider)
    reason, (warning,) = shut_ways(ways)
    assert reason == ""
    assert warning.startswith("OAuth clients that it lets in were deleted or shut out: b, c.")


def test_a_client_that_was_shut_out_is_let_in_again() -> None:
    _, (warning,) = shut_ways(replace(OPEN, allowed={"a": "shut out", "b": "there"}))
    assert "archway oauth-clients enable" in warning


def test_a_provider_that_is_gone_is_a_warning_beside_clients_and_told_with_the_reason_without_them() -> None:
    assert shut_ways(replace(OPEN, provider=OFF)) == ("", [OFF])
    reason, warnings = shut_ways(replace(GONE, provider=OFF))
    assert reason.startswith("No way in is open")
    assert warnings == [OFF]
    assert shut_ways(replace(GONE, provider=""))[0] == ""


def test_that_nobody_can_sign_in_at_all_is_told_only_where_it_leaves_no_way() -> None:
    nobody = replace(OPEN, pages_kept=False)
    assert "ARCHWAY_ISSUER_URL" in shut_ways(nobody)[0]
    assert shut_ways(replace(nobody, has_token=True)) == ("", [])


def test_whether_there_is_a_token_matters_only_where_nothing_else_is_open() -> None:
    assert not may_be_shut({}, None, pages_kept=True)
    assert not may_be_shut({"a": "gone"}, "", pages_kept=True)
    assert not may_be_shut({"a": "gone", "b": "there"}, None, pages_kept=True)
    assert may_be_shut({"a": "gone"}, None, pages_kept=True)
    assert may_be_shut({}, OFF, pages_kept=False)


def test_of_many_clients_a_few_are_named() -> None:
    assert "c0, c1, c2 and 7 more." in shut_ways(replace(OPEN, allowed={f"c{n}": "gone" for n in range(10)}))[0]
