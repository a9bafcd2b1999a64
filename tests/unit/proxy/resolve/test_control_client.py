import asyncio
import re
from typing import Any

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.keys import new_key, parse_key_ring
from core.resolve import (
    CallerQuestion,
    CallerVerdict,
    Credential,
    InstallationAnswer,
    InstallationQuestion,
    InstallationRefusal,
    JwtProof,
)
from core.tokens import digest
from proxy.caches.two_ages import SourceUnreachable
from proxy.resolve import control_client, control_pulse
from proxy.resolve.control_client import ControlClient, ListsUnknown
from tests.fakes import version_before
from tests.fakes.control import FakeControl
from tests.fakes.proxy_parts import user

NOBODY = "http://127.0.0.1:1"
PROOF = JwtProof.of("header.claims.signature")


def client(egress: Egress, control: FakeControl, *addresses: str, ring: object = None) -> ControlClient:
    calls = InternalCalls(ring or control.ring, caller="proxy", answerer="control")  # type: ignore[arg-type]  # a ring
    return ControlClient(egress, addresses, calls)


def loopback() -> Egress:
    return Egress(AddressPolicy(parse_networks("127.0.0.0/8")))


async def test_a_question_is_answered() -> None:
    async with FakeControl() as control, loopback() as egress:
        token = control.token()
        verdict = await client(egress, control, control.url).caller(CallerQuestion(digest(token)))
        assert verdict == control.verdicts[digest(token)]


async def test_the_next_address_is_tried_and_stays_first() -> None:
    async with FakeControl() as control, loopback() as egress:
        asking = client(egress, control, NOBODY, control.url + "/")
        for _ in range(2):
            assert isinstance(await asking.caller(CallerQuestion("x")), CallerVerdict)
        assert asking._addresses[0] == control.url


async def test_a_control_with_another_key_is_not_believed() -> None:
    async with FakeControl() as control, loopback() as egress:
        asking = client(egress, control, control.url, ring=parse_key_ring("other", new_key()))
        with pytest.raises(SourceUnreachable):
            await asking.index()


async def test_a_control_that_is_down_is_left_alone_and_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_pulse, "PROBE_S", 60.0)
    async with FakeControl() as control, loopback() as egress:
        control.down = True
        asking = client(egress, control, control.url)
        for _ in range(10):
            with pytest.raises(SourceUnreachable):
                await asking.caller(CallerQuestion("x"))
        assert len(control.asked) == 3
        assert asking.away
        control.down = False
        monkeypatch.setattr(asking.pulse, "_next_try", 0.0)
        assert isinstance(await asking.caller(CallerQuestion("x")), CallerVerdict)
        assert not asking.away


async def test_an_answer_that_cannot_be_read_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_pulse, "PROBE_S", 60.0)
    async with FakeControl() as control, loopback() as egress:
        control.verdicts["x"] = InstallationRefusal("not_allowed", "no verdict")  # type: ignore[assignment]  # on purpose
        asking = client(egress, control, control.url)
        for _ in range(3):
            with pytest.raises(SourceUnreachable):
                await asking.caller(CallerQuestion("x"))
        assert asking.away


async def test_a_list_of_tokens_is_answered_by_digest() -> None:
    async with FakeControl() as control, loopback() as egress:
        digests = [digest(control.token()) for _ in range(3)]
        asked = [CallerQuestion(one) for one in (*digests, "unknown")]
        answers = await client(egress, control, NOBODY, control.url).callers(asked)
        assert answers == {
            **{CallerQuestion(one): control.verdicts[one] for one in digests},
            CallerQuestion("unknown"): CallerVerdict("unknown", refusal="unknown"),
        }


async def test_a_list_of_installations_is_answered_by_question() -> None:
    async with FakeControl() as control, loopback() as egress:
        known, unknown = digest(control.token()), "unknown"
        found = control.installation("http://server.test/mcp")
        control.installations["a"] = found
        questions = [InstallationQuestion(one, "g", "a") for one in (unknown, known)]
        answers = await client(egress, control, control.url).installations(questions)
        assert answers[questions[1]] == InstallationAnswer(installation=found)
        assert answers[questions[0]].refusal is not None


@pytest.mark.parametrize("why", ["of the version before", "of a version to come"])
async def test_a_control_of_another_version_is_told_apart_from_one_that_is_away(why: str) -> None:
    async with FakeControl() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        control.knows_lists = why != "of the version before"
        control.verdicts["x"] = InstallationRefusal("not_allowed", "another form")  # type: ignore[assignment]  # on purpose
        for _ in range(5):
            with pytest.raises(ListsUnknown):
                await asking.callers([CallerQuestion("x"), CallerQuestion("y")])
        assert not asking.pulse.late
        assert await asking.caller(CallerQuestion("y")) == CallerVerdict("y", refusal="unknown")


async def test_a_control_that_is_down_or_has_another_clock_leaves_a_list_unanswered() -> None:
    async with FakeControl() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        for trouble in ("down", "clock"):
            control.down, control.clock_ahead = trouble == "down", 100.0 * (trouble == "clock")
            with pytest.raises(SourceUnreachable):
                await asking.callers([CallerQuestion("x")])
        assert asking.pulse.late


@pytest.mark.parametrize(("ahead", "words"), [(100, "100 s behind"), (-100, "100 s ahead of")])
async def test_a_control_that_refuses_for_the_clock_is_not_only_away(
    ahead: float, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeControl() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        control.clock_ahead = ahead
        with caplog.at_level("INFO"), pytest.raises(SourceUnreachable):
            await asking.caller(CallerQuestion("x"))
        assert abs(abs(asking.clock.ahead) - 100) < 5
        said = next(line.why for line in caplog.records if line.getMessage() == "control gave no answer")  # type: ignore[attr-defined]
        assert re.search(words.replace("100", r"\d+"), said)
        control.clock_ahead = 0.0
        assert isinstance(await asking.caller(CallerQuestion("x")), CallerVerdict)
        assert abs(asking.clock.ahead) < 5


class ControlBefore(FakeControl):
    """It reads and answers as the version before does, about tokens that are known."""

    async def _token(self, body: bytes) -> Any:
        asked = msgspec.msgpack.decode(body, type=version_before.TokenQuestion)
        return version_before.as_before(self._verdict(asked.digest))

    async def _tokens(self, body: bytes) -> Any:
        asked = msgspec.msgpack.decode(body, type=version_before.TokenQuestions)
        return version_before.TokenVerdicts(
            [version_before.as_before(self._verdict(digest)) for digest in asked.digests]
        )

    async def _installation(self, body: bytes) -> InstallationAnswer:
        asked = msgspec.msgpack.decode(body, type=version_before.InstallationQuestionBefore)
        return self._resolved(InstallationQuestion(asked.digest, asked.gateway_id, asked.assignment_id))


async def test_control_of_the_version_before_is_understood_about_tokens() -> None:
    async with ControlBefore() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        known = CallerQuestion(digest(control.token()))
        verdict = await asking.caller(known)
        assert verdict.credential == Credential("token", control.verdicts[known.digest].credential_id)
        assert await asking.callers([known]) == {known: verdict}
        control.installations["a"] = found = control.installation("http://server.test/mcp")
        question = InstallationQuestion(known.digest, "g", "a")
        assert await asking.installation(question) == InstallationAnswer(installation=found)


async def test_control_of_the_version_before_cannot_read_a_signed_token_and_is_not_taken_to_be_away() -> None:
    async with ControlBefore() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        control.opens_seals = False
        question = CallerQuestion.of(PROOF)
        for _ in range(4):
            with pytest.raises(SourceUnreachable):  # what is remembered of the caller serves
                await asking.caller(question)
            with pytest.raises(ListsUnknown):
                await asking.callers([question])
            with pytest.raises(SourceUnreachable):
                await asking.installation(InstallationQuestion.of(PROOF, "g", "a"))
        assert not asking.pulse.late
        known = CallerQuestion(digest(control.token()))
        assert (await asking.caller(known)).principal is not None


async def test_a_signed_token_is_asked_of_the_replica_that_can_read_it() -> None:
    async with FakeControl() as control, FakeControl() as before, loopback() as egress:
        before.ring, before._calls, before.opens_seals = control.ring, control._calls, False
        control.verdicts[PROOF.digest] = CallerVerdict(PROOF.digest, user(), "grant", auth="oauth")
        asking = client(egress, control, before.url, control.url)
        assert await asking.caller(CallerQuestion.of(PROOF)) == control.verdicts[PROOF.digest]
        assert asking._addresses[0] == control.url


class Overheard(FakeControl):
    """It keeps the bodies of questions as they came."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.bodies.append(await request.read())
        return await super()._answer(request)


async def test_nobody_on_the_way_can_read_a_signed_token_in_a_question() -> None:
    async with Overheard() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        control.verdicts[PROOF.digest] = CallerVerdict(PROOF.digest, user(), "grant", auth="oauth")
        control.installations["a"] = control.installation("http://server.test/mcp")
        caller, other = CallerQuestion.of(PROOF), CallerQuestion(digest(control.token()))
        for_tool = InstallationQuestion.of(PROOF, "g", "a")
        assert (await asking.caller(caller)).credential == Credential("oauth", "grant")
        assert [one.principal is None for one in (await asking.callers([caller, other])).values()] == [False, False]
        found = await asking.installation(for_tool)
        assert found.installation is not None
        others = InstallationQuestion(other.digest, "g", "a")
        assert await asking.installations([for_tool, others]) == {for_tool: found, others: found}
        assert len(control.bodies) == 4
        assert not [body for body in control.bodies if b"claims" in body]


async def test_a_question_without_a_signed_token_is_sent_as_the_version_before_reads_it() -> None:
    async with Overheard() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        control.installations["a"] = control.installation("http://server.test/mcp")
        known = digest(control.token())
        await asking.caller(CallerQuestion(known))
        await asking.callers([CallerQuestion(known)])
        await asking.installation(InstallationQuestion(known, "g", "a"))
        await asking.installations([InstallationQuestion(known, "g", "a")])
        for_tool = version_before.InstallationQuestionBefore(known, "g", "a")
        sent = [
            version_before.TokenQuestion(known),
            version_before.TokenQuestions([known]),
            for_tool,
            version_before.InstallationQuestionsBefore([for_tool]),
        ]
        read = [msgspec.msgpack.decode(body, type=type(one)) for body, one in zip(control.bodies, sent, strict=True)]
        assert read == sent


@pytest.mark.parametrize("trouble", ["takes long", "fails"])
async def test_a_control_that_cannot_renew_a_credential_is_not_taken_to_be_away(
    monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setattr("proxy.resolve.control_client.RENEWAL_S", 0.2)
    async with FakeControl() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        refused = InstallationQuestion(digest(control.token()), "g", "a", refused_version=3)
        control.slow, control.down = 2.0 * (trouble == "takes long"), trouble == "fails"
        for _ in range(3):
            with pytest.raises(SourceUnreachable):
                await asking.renewal(refused)
        assert not asking.pulse.late
        control.slow, control.down = 0.0, False
        assert isinstance(await asking.caller(CallerQuestion("x")), CallerVerdict)


async def test_a_question_about_a_refused_credential_says_what_the_upstream_said() -> None:
    async with FakeControl() as control, loopback() as egress:
        known = digest(control.token())
        control.installations["a"] = found = control.installation("http://server.test/mcp")
        asked = InstallationQuestion(known, "g", "a", refused_version=3, needed_scopes=("repo",))
        assert await client(egress, control, control.url).renewal(asked) == InstallationAnswer(installation=found)
        assert control.renewals == [replace(asked, waits_s=control_client.RENEWAL_WAITS_S)]


class Crowded(FakeControl):
    """Answers questions about tool `a` when a test says so, and counts how many of them wait."""

    def __init__(self) -> None:
        super().__init__()
        self.came, self.may_answer, self.waiting, self.most = asyncio.Event(), asyncio.Event(), 0, 0

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = msgspec.msgpack.decode(await request.read(), type=InstallationQuestion)
        if asked.assignment_id == "a":
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            self.came.set()
            await self.may_answer.wait()
            self.waiting -= 1
        return await super()._answer(request)


@pytest.mark.parametrize("kind", ["installation", "renewal"])
async def test_a_crowd_at_one_tool_waits_here_and_keeps_nobody_from_another(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(control_client, "FIRST_AT_ONCE", 2)
    monkeypatch.setattr(control_client, "PATIENT_AT_ONCE", 2)
    async with Crowded() as control, loopback() as egress:
        known = digest(control.token())
        control.installations |= {one: control.installation("http://server.test/mcp") for one in "ab"}
        asking = client(egress, control, control.url)
        ask = getattr(asking, kind)
        async with asyncio.TaskGroup() as group:
            crowd = [group.create_task(ask(InstallationQuestion(known, "g", "a"))) for _ in range(8)]
            assert (await ask(InstallationQuestion(known, "g", "b"))).installation is not None
            assert not any(one.done() for one in crowd)
            control.may_answer.set()
        assert all(one.result().installation is not None for one in crowd)
        assert control.most <= 2


async def test_who_finds_no_place_in_time_is_told_that_control_cannot_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(control_client, "FIRST_AT_ONCE", 1)
    monkeypatch.setattr(control_client, "PLACE_WITHIN_S", 0.01)
    async with Crowded() as control, loopback() as egress:
        control.installations["a"] = control.installation("http://server.test/mcp")
        asking, question = (
            client(egress, control, control.url),
            InstallationQuestion(digest(control.token()), "g", "a"),
        )
        async with asyncio.TaskGroup() as group:
            first = group.create_task(asking.installation(question))
            await control.came.wait()
            with pytest.raises(SourceUnreachable):
                await asking.installation(question)
            control.may_answer.set()
        assert first.result().installation is not None
        assert not asking.away
