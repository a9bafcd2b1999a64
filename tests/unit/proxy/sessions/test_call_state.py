from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from msgspec.structs import replace

from core.keys import new_key, parse_key_ring
from core.resolve import ResolvedInstallation
from proxy.sessions import call_state
from proxy.sessions.call_state import (
    LIFETIME_S,
    LONGEST_OF_SERVER,
    CallState,
    StateBroken,
    close_state,
    open_state,
    place_of,
    why_not_kept,
)

RING = parse_key_ring("proxy", new_key())
MINE = ("gateway", "user:ann", "tool", "digest")


def test_a_state_says_how_often_its_caller_was_asked() -> None:
    assert [open_state(RING, close_state(RING, CallState.of(asked), MINE), MINE).asked for asked in (1, 5)] == [1, 5]


@pytest.mark.parametrize("place", range(4))
def test_it_opens_for_nobody_elses_call_and_no_other_call(place: int) -> None:
    other = (*MINE[:place], "another", *MINE[place + 1 :])
    with pytest.raises(StateBroken):
        open_state(RING, close_state(RING, CallState.of(1), MINE), other)


def test_no_bit_of_it_can_be_changed() -> None:
    sealed = base64.urlsafe_b64decode(close_state(RING, CallState.of(1), MINE))
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(StateBroken):
            open_state(RING, base64.urlsafe_b64encode(changed).decode(), MINE)


@pytest.mark.parametrize("state", [None, 3, {}, "", "x", "é", "AAAA", "A" * 100_000])
def test_what_is_none_of_ours_is_refused(state: object) -> None:
    with pytest.raises(StateBroken):
        open_state(RING, state, MINE)


def test_it_is_good_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    state, now = close_state(RING, CallState.of(1), MINE), time.time()
    monkeypatch.setattr(call_state.time, "time", lambda: now + LIFETIME_S - 1)
    assert open_state(RING, state, MINE).asked == 1
    monkeypatch.setattr(call_state.time, "time", lambda: now + LIFETIME_S + 1)
    with pytest.raises(StateBroken):
        open_state(RING, state, MINE)


@pytest.mark.parametrize("theirs", [None, "", "s-1", "\U0001f600" * LONGEST_OF_SERVER])
def test_a_servers_state_of_any_text_is_kept_and_fits_into_ours(theirs: str | None) -> None:
    assert why_not_kept(theirs) == ""
    state = close_state(RING, CallState.of(1, place="i", theirs=theirs), MINE)
    assert open_state(RING, state, MINE).theirs == theirs


@pytest.mark.parametrize("theirs", [3, {}, [], True, "x" * (LONGEST_OF_SERVER + 1)])
def test_a_servers_state_that_is_no_text_or_too_long_is_not_kept(theirs: object) -> None:
    assert "requestState" in why_not_kept(theirs)


HELD = ResolvedInstallation(
    "i", "e", "crm", "organisation", "remote", "https://crm.test/mcp", 3,
    fixed_headers=[("x-tenant", "1")], credential_headers=[("authorization", "key")],
)  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"installation_id": "another"},
        {"url": "https://crm.test/other"},
        {"fixed_headers": [("x-tenant", "2")]},
        {"credential_headers": [("authorization", "another key")]},
        {"signed_in_at": 5.0},
    ],
)
def test_another_installation_address_or_account_is_another_place(changed: dict[str, Any]) -> None:
    assert place_of(replace(HELD, **changed)) != place_of(HELD)


def test_a_renewed_token_is_of_the_same_place_and_another_sign_in_of_another() -> None:
    signed_in = replace(HELD, signed_in_at=5.0)
    renewed = replace(signed_in, version=4, credential_headers=[("authorization", "newer")], expires_at=9.0)
    assert place_of(renewed) == place_of(signed_in)
    assert place_of(replace(renewed, signed_in_at=6.0)) != place_of(signed_in)


def test_the_next_token_of_a_caller_whose_own_it_is_is_of_the_same_place() -> None:
    theirs = replace(HELD, made_for="one digest", credential_headers=[("authorization", "one")])
    assert place_of(replace(theirs, made_for="another", credential_headers=[])) == place_of(theirs)
    assert place_of(theirs) != place_of(HELD)
