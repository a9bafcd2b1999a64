from __future__ import annotations

import time

import pytest

from core.mcp.versions import MODERN
from core.resolve import Principal, Way
from core.snapshot import Visibility
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.stages.enter_gateway import enter_gateway
from tests.fakes.callers import caller_of
from tests.fakes.proxy_parts import exchange, gateway, hold, user

ADA = user(teams=frozenset({"red"}))


def entering(principal: Principal = ADA, **headers: str) -> Exchange:
    x = exchange({})
    x.caller, x.gateway_name = caller_of(principal), "g"
    x.headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return x


@pytest.mark.parametrize(
    ("visibility", "seen"),
    [
        (Visibility("organisation"), True),
        (Visibility("teams", teams=["red", "blue"]), True),
        (Visibility("teams", teams=["blue"]), False),
        (Visibility("personal", owner=ADA.id), True),
        (Visibility("personal", owner="another"), False),
    ],
)
async def test_a_gateway_admits_those_who_see_it(deps: Deps, visibility: Visibility, seen: bool) -> None:
    held = hold(deps, gateway(visibility=visibility))
    x = entering()
    if not seen:
        with pytest.raises(Refusal, match="gateway_unknown"):
            enter_gateway(x, deps)
        assert x.gateway is None
        return
    assert enter_gateway(x, deps) is None
    assert x.gateway is held


WAYS = ("token", "oauth", "jwt", "id_jag")


@pytest.mark.parametrize("way", WAYS)
async def test_a_gateway_refuses_a_caller_who_authenticated_in_a_way_that_it_does_not_accept(
    deps: Deps, way: Way
) -> None:
    held = hold(deps, gateway(client_auth=[one for one in WAYS if one != way]))
    for accepted in WAYS:
        x = entering()
        x.caller = caller_of(ADA, way=accepted)
        if accepted != way:
            assert enter_gateway(x, deps) is None
            continue
        with pytest.raises(Refusal, match="way_not_accepted"):
            enter_gateway(x, deps)
        assert x.gateway is held, "which its record names"


async def test_whom_a_gateway_does_not_admit_is_not_told_how_to_authenticate(deps: Deps) -> None:
    hold(deps, gateway(visibility=Visibility("teams", teams=["blue"]), client_auth=["oauth"]))
    x = entering()
    with pytest.raises(Refusal, match="gateway_unknown"):
        enter_gateway(x, deps)
    assert x.gateway is None


async def test_a_gateway_that_cannot_be_had_is_not_said_to_be_unknown(deps: Deps) -> None:
    pending = enter_gateway(entering(), deps)
    assert pending is not None
    with pytest.raises(Refusal, match="gateway_unavailable"):
        await pending


async def test_a_gateway_that_was_not_confirmed_for_too_long_is_loaded_again(deps: Deps) -> None:
    hold(deps, gateway()).confirmed = time.monotonic() - deps.settings.max_stale - 1
    pending = enter_gateway(entering(), deps)
    assert pending is not None
    with pytest.raises(Refusal):
        await pending


async def test_a_session_opens_for_its_principal_on_its_gateway_alone(deps: Deps) -> None:
    held = hold(deps, gateway(client_auth=["token", "oauth"]))
    text, session = deps.sessions.new(held.id, caller_of(ADA), "2025-11-25", 0)

    x = entering(mcp_session_id=text)
    pending = enter_gateway(x, deps)
    assert pending is not None
    await pending
    assert x.session == session

    otherwise = entering(mcp_session_id=text)
    otherwise.caller = caller_of(ADA, way="oauth")
    for stranger in (entering(user(), mcp_session_id=text), otherwise, entering(mcp_session_id="chosen-by-me")):
        pending = enter_gateway(stranger, deps)
        assert pending is not None
        await pending  # a POST may open another one: `parse` says which
        assert (stranger.session, stranger.session_lost) == (None, True)


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
async def test_without_a_message_there_is_no_other_session_to_open(deps: Deps, method: str) -> None:
    hold(deps, gateway())
    x = entering(mcp_session_id="chosen-by-me")
    x.head.method = method
    pending = enter_gateway(x, deps)
    assert pending is not None
    with pytest.raises(Refusal, match="session_unknown"):
        await pending


async def test_a_modern_request_has_no_session_whatever_it_sends(deps: Deps) -> None:
    hold(deps, gateway())
    x = entering(mcp_session_id="chosen-by-me", mcp_protocol_version=MODERN)
    assert enter_gateway(x, deps) is None
    assert x.session is None
