from __future__ import annotations

import time
from typing import Any

import pytest
from msgspec.structs import replace

from core.resolve import InstallationQuestion, ResolvedInstallation
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.stages.choose_tool import choose_tool
from proxy.stages.compose_headers import compose_headers
from proxy.stages.renew_credential import renew_credential, suspect_credential
from proxy.telemetry.metrics import RENEWALS, by_value
from tests.fakes.call_parts import exchange, gateway, installation, parts, tool

FIRST = installation(credential_headers=[("Authorization", "Bearer 1")], version=7)
SECOND = replace(FIRST, credential_headers=[("Authorization", "Bearer 2")], version=8)


class Renewals:
    """Says what it is made with, in place of a memory that asks control."""

    def __init__(self, said: ResolvedInstallation | Exception | None) -> None:
        self.said = said
        self.asked: list[InstallationQuestion] = []

    async def newer(
        self, _key: str, question: InstallationQuestion, _refused: ResolvedInstallation, until: float
    ) -> ResolvedInstallation | None:
        self.asked.append(question)
        assert time.monotonic() < until
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def refused(status: int, scopes: tuple[str, ...] | None = None) -> Refusal:
    return Refusal("upstream_credential", server="srv", status=status, needed_scopes=scopes)


def sent(deps: Deps, held: ResolvedInstallation = FIRST) -> Exchange:
    x = exchange(gateway([tool()]), arguments={"n": 1})
    choose_tool(x, deps)
    x.installation = held
    compose_headers(x, deps)
    return x


async def renewed(
    refusal: Refusal, said: ResolvedInstallation | Exception | None, held: ResolvedInstallation = FIRST
) -> tuple[Exchange, float | None, Renewals, list[str]]:
    async with parts() as deps:
        renewals = Renewals(said)
        deps.installations.renewals = renewals  # type: ignore[misc, assignment]  # its one method
        x = sent(deps, held)
        try:
            until = await renew_credential(x, deps, refusal)
        finally:
            counted = [value for value, name in by_value(RENEWALS).items() if deps.slots.value(name)]  # type: ignore[attr-defined]
        return x, until, renewals, counted


async def test_with_a_newer_credential_the_call_is_composed_again() -> None:
    x, until, renewals, counted = await renewed(refused(401), SECOND)
    assert until is not None
    assert (x.installation, counted) == (SECOND, ["renewed"])
    assert x.outbound is not None
    assert x.outbound.headers["authorization"] == "Bearer 2"
    assert [(one.refused_version, one.needed_scopes) for one in renewals.asked] == [(7, ())]


async def test_scopes_that_are_missing_are_asked_for_and_the_credential_is_not_said_to_be_refused() -> None:
    _, _, renewals, _ = await renewed(refused(403, ("a", "b")), SECOND)
    assert [(one.refused_version, one.needed_scopes) for one in renewals.asked] == [(0, ("a", "b"))]


async def test_a_server_that_does_not_name_the_missing_scopes_is_told_of_as_such() -> None:
    _, _, renewals, _ = await renewed(refused(403, ()), SECOND)
    assert [(one.refused_version, one.needed_scopes, one.too_few_scopes) for one in renewals.asked] == [(0, (), True)]


async def test_when_the_refused_one_was_obtained_is_told_where_it_is_the_callers_own() -> None:
    theirs = replace(FIRST, made_for="user:u", obtained_at=5.5)
    _, _, renewals, _ = await renewed(refused(401), SECOND, theirs)
    assert [(one.refused_version, one.refused_obtained) for one in renewals.asked] == [(7, 5.5)]


async def test_nobody_has_a_newer_one_of_a_token_that_the_caller_came_with() -> None:
    passed_on = replace(FIRST, caller_token=True)
    x, until, renewals, _ = await renewed(refused(401), SECOND, passed_on)
    assert (x.installation, until, renewals.asked) == (passed_on, None, [])
    async with parts() as deps:
        x = sent(deps, passed_on)
        suspect_credential(x, deps)
        assert deps.installations.renewals.questions == 0
        assert len(deps.installations.renewals._suspected) == 0


async def test_without_a_newer_one_nothing_changes() -> None:
    x, until, _, counted = await renewed(refused(401), None)
    assert (x.installation, until, counted) == (FIRST, None, ["nothing_newer"])


@pytest.mark.parametrize(
    "refusal",
    [refused(403), Refusal("upstream_status", server="srv", status=500), Refusal("upstream_refused", server="srv")],
    ids=["forbidden", "failed", "unreachable"],
)
async def test_what_says_nothing_of_the_credential_asks_nothing(refusal: Refusal) -> None:
    _, until, renewals, counted = await renewed(refusal, SECOND)
    assert (until, renewals.asked, counted) == (None, [], [])


async def test_the_reason_of_control_goes_before_the_servers() -> None:
    with pytest.raises(Refusal, match="needs_sign_in"):
        await renewed(refused(401), Refusal("needs_sign_in", why="Sign in."))


async def test_without_control_a_token_may_be_tried_again_and_a_key_is_refused_as_it_was() -> None:
    with pytest.raises(Refusal, match="credential_unavailable"):
        await renewed(refused(401), SourceUnreachable(), replace(FIRST, expires_at=4e9))
    assert (await renewed(refused(401), SourceUnreachable()))[1:][::2] == (None, ["unavailable"])


async def test_a_call_whose_time_is_over_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Renewals):
        async def newer(self, *asked: Any) -> ResolvedInstallation | None:
            began = time.monotonic()
            monkeypatch.setattr("proxy.stages.renew_credential.time.monotonic", lambda: began + 3600)
            return SECOND

    async with parts() as deps:
        deps.installations.renewals = Slow(SECOND)  # type: ignore[misc, assignment]  # its one method
        x = sent(deps)
        assert await renew_credential(x, deps, refused(401)) is None
        assert x.installation is FIRST
        monkeypatch.undo()
