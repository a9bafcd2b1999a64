"""Which refusals are steps of signing in, and what control is told of them."""

from __future__ import annotations

import pytest

from core.sign_in_steps import ToldStep
from proxy.answers.refused import answer_of_refusal
from proxy.answers.sign_in_steps import note_metadata
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from tests.fakes.callers import a_user
from tests.fakes.proxy_parts import exchange


def asking(target: str = "/v1/mcp/g", **headers: str) -> Exchange:
    x = exchange({"User-Agent": "claude-code/2.1", **headers}, target=target)
    x.gateway_name, x.address = "g", "192.0.2.7"
    return x


def told(deps: Deps, x: Exchange, refusal: Refusal) -> list[ToldStep]:
    answer_of_refusal(x, refusal, deps)
    return deps.sign_ins.take()


async def test_who_comes_without_a_credential_is_at_the_first_step_and_nothing_is_wrong(deps: Deps) -> None:
    assert told(deps, asking(), Refusal("not_authenticated")) == [
        ToldStep("challenge", "192.0.2.7", "g", "claude-code/2.1")
    ]


async def test_a_credential_that_is_refused_is_a_first_call_that_failed(deps: Deps) -> None:
    (step,) = told(deps, asking(), Refusal("not_authenticated", presented="audience"))
    assert (step.step, step.word, step.why) == ("first_call", "not_authenticated", "audience")


async def test_a_person_who_is_known_is_named(deps: Deps) -> None:
    x = asking()
    x.caller = a_user("ada")
    (step,) = told(deps, x, Refusal("gateway_unknown"))
    assert (step.step, step.word, step.principal) == ("first_call", "gateway_unknown", x.caller.key)


async def test_a_way_that_the_gateway_does_not_take_is_told_in_its_words(deps: Deps) -> None:
    (step,) = told(deps, asking(), Refusal("way_not_accepted", way="access tokens of Archway"))
    assert step.asked == "access tokens of Archway"


@pytest.mark.parametrize(
    ("target", "step"),
    [("/v1/mcp/desk", "challenge"), ("/.well-known/oauth-protected-resource/v1/mcp/desk?x", "metadata")],
)
async def test_a_host_that_is_not_ours_is_told_with_its_name(deps: Deps, target: str, step: str) -> None:
    x = asking(target, Host="gw.internal:8400")
    x.gateway_name = x.address = ""
    (found,) = told(deps, x, Refusal("host_unknown"))
    assert (found.step, found.gateway, found.asked, found.address) == (step, "desk", "gw.internal:8400", "192.0.2.1")


@pytest.mark.parametrize(
    ("target", "reason"),
    [("/wp-login.php", "host_unknown"), ("/v1/mcp/g", "media_type"), ("/v1/mcp/g", "session_unknown")],
)
async def test_what_is_no_step_of_signing_in_is_not_told(deps: Deps, target: str, reason: str) -> None:
    assert told(deps, asking(target), Refusal(reason)) == []


async def test_who_reads_where_to_sign_in_has_taken_a_step(deps: Deps) -> None:
    note_metadata(asking(), deps)
    assert [(one.step, one.word, one.gateway) for one in deps.sign_ins.take()] == [("metadata", "", "g")]
