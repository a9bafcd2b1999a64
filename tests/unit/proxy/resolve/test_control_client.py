import re

import pytest

from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.keys import new_key, parse_key_ring
from core.resolve import InstallationAnswer, InstallationQuestion, InstallationRefusal, TokenQuestion, TokenVerdict
from core.tokens import digest
from proxy.caches.two_ages import SourceUnreachable
from proxy.resolve import control_pulse
from proxy.resolve.control_client import ControlClient, ListsUnknown
from tests.fakes.control import FakeControl

NOBODY = "http://127.0.0.1:1"


def client(egress: Egress, control: FakeControl, *addresses: str, ring: object = None) -> ControlClient:
    calls = InternalCalls(ring or control.ring, caller="proxy", answerer="control")  # type: ignore[arg-type]  # a ring
    return ControlClient(egress, addresses, calls)


def loopback() -> Egress:
    return Egress(AddressPolicy(parse_networks("127.0.0.0/8")))


async def test_a_question_is_answered() -> None:
    async with FakeControl() as control, loopback() as egress:
        token = control.token()
        verdict = await client(egress, control, control.url).token(TokenQuestion(digest(token)))
        assert verdict == control.verdicts[digest(token)]


async def test_the_next_address_is_tried_and_stays_first() -> None:
    async with FakeControl() as control, loopback() as egress:
        asking = client(egress, control, NOBODY, control.url + "/")
        for _ in range(2):
            assert isinstance(await asking.token(TokenQuestion("x")), TokenVerdict)
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
                await asking.token(TokenQuestion("x"))
        assert len(control.asked) == 3
        assert asking.away
        control.down = False
        monkeypatch.setattr(asking.pulse, "_next_try", 0.0)
        assert isinstance(await asking.token(TokenQuestion("x")), TokenVerdict)
        assert not asking.away


async def test_an_answer_that_cannot_be_read_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_pulse, "PROBE_S", 60.0)
    async with FakeControl() as control, loopback() as egress:
        control.verdicts["x"] = InstallationRefusal("not_allowed", "no verdict")  # type: ignore[assignment]  # on purpose
        asking = client(egress, control, control.url)
        for _ in range(3):
            with pytest.raises(SourceUnreachable):
                await asking.token(TokenQuestion("x"))
        assert asking.away


async def test_a_list_of_tokens_is_answered_by_digest() -> None:
    async with FakeControl() as control, loopback() as egress:
        digests = [digest(control.token()) for _ in range(3)]
        asked = [TokenQuestion(one) for one in (*digests, "unknown")]
        answers = await client(egress, control, NOBODY, control.url).tokens(asked)
        assert answers == {
            **{TokenQuestion(one): control.verdicts[one] for one in digests},
            TokenQuestion("unknown"): TokenVerdict("unknown", refusal="unknown"),
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
                await asking.tokens([TokenQuestion("x"), TokenQuestion("y")])
        assert not asking.pulse.late
        assert await asking.token(TokenQuestion("y")) == TokenVerdict("y", refusal="unknown")


async def test_a_control_that_is_down_or_has_another_clock_leaves_a_list_unanswered() -> None:
    async with FakeControl() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        for trouble in ("down", "clock"):
            control.down, control.clock_ahead = trouble == "down", 100.0 * (trouble == "clock")
            with pytest.raises(SourceUnreachable):
                await asking.tokens([TokenQuestion("x")])
        assert asking.pulse.late


@pytest.mark.parametrize(("ahead", "words"), [(100, "100 s behind"), (-100, "100 s ahead of")])
async def test_a_control_that_refuses_for_the_clock_is_not_only_away(
    ahead: float, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeControl() as control, loopback() as egress:
        asking = client(egress, control, control.url)
        control.clock_ahead = ahead
        with caplog.at_level("INFO"), pytest.raises(SourceUnreachable):
            await asking.token(TokenQuestion("x"))
        assert abs(abs(asking.clock.ahead) - 100) < 5
        said = next(line.why for line in caplog.records if line.getMessage() == "control gave no answer")  # type: ignore[attr-defined]
        assert re.search(words.replace("100", r"\d+"), said)
        control.clock_ahead = 0.0
        assert isinstance(await asking.token(TokenQuestion("x")), TokenVerdict)
        assert abs(asking.clock.ahead) < 5
