import time
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from core import redis_names
from core.egress.rules import EgressRules
from core.keys import new_key, parse_key_ring
from core.resolve import (
    InstallationAnswer,
    InstallationQuestion,
    InstallationRefusal,
    Principal,
    ResolvedInstallation,
)
from core.snapshot import Route
from core.tasks import Tasks
from proxy.caches.redis_copy import SealedForm
from proxy.caches.two_ages import Aged, SourceUnreachable
from proxy.redis import Redis
from proxy.refusals import Refusal
from proxy.resolve import installations as module
from proxy.resolve.control_pulse import ControlPulse
from proxy.resolve.installations import Installations, whose
from proxy.resolve.renewals import MARGIN_S
from tests.fakes.call_parts import installation
from tests.fakes.callers import a_user, caller_of
from tests.unit.proxy.caches.conftest import MemoryRedis

QUESTION = InstallationQuestion("digest", "g", "a")
CALLER = a_user("u")


@dataclass
class Control:
    answer: InstallationAnswer
    asked: list[InstallationQuestion] = field(default_factory=list)
    later: list[InstallationAnswer] = field(default_factory=list)
    """What it says in turn to whoever waits for a provider."""
    waited: list[InstallationQuestion] = field(default_factory=list)
    pulse: ControlPulse = field(default_factory=ControlPulse)

    async def installation(self, question: InstallationQuestion) -> InstallationAnswer:
        self.asked.append(question)
        return self.answer

    async def renewal(self, question: InstallationQuestion) -> InstallationAnswer:
        self.waited.append(question)
        return self.later.pop(0) if len(self.later) > 1 else self.later[0]

    async def installations(
        self, questions: list[InstallationQuestion]
    ) -> dict[InstallationQuestion, InstallationAnswer]:
        return {question: await self.installation(question) for question in questions}


def installations(answer: InstallationAnswer) -> tuple[Installations, Control]:
    control = Control(answer)
    ring = parse_key_ring("proxy", new_key())
    redis = Redis("redis://127.0.0.1:1/0")
    made = Installations(control, redis, ring, soft=60, hard=600, tasks=Tasks("test", quiet=(Refusal,)))  # type: ignore[arg-type]  # the one method
    return made, control


async def with_held(*keys: tuple[str, str | None]) -> tuple[Installations, ResolvedInstallation]:
    found = installation()
    made, _ = installations(InstallationAnswer(installation=found))
    for gateway, principal in keys:
        await made.resolve(made.key(gateway, "a", principal), QUESTION)
    return made, found


def held(made: Installations) -> set[str]:
    return {key for key, _ in made.resolved.memory.items()}


async def test_control_is_asked_once_and_then_memory() -> None:
    found = installation()
    made, control = installations(InstallationAnswer(installation=found))
    assert made.known("g/a/*", QUESTION) is None
    assert await made.resolve("g/a/*", QUESTION) == found
    assert made.known("g/a/*", QUESTION) == found
    assert control.asked == [QUESTION]


async def test_a_refusal_is_told_with_its_link_and_not_kept() -> None:
    refusal = InstallationRefusal("credential_missing", "Connect it first.", "https://here")
    made, control = installations(InstallationAnswer(refusal=refusal))
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            await made.resolve("g/a/*", QUESTION)
        assert (refused.value.sentence, refused.value.link) == ("Connect it first.", "https://here")
    assert len(control.asked) == 2


async def test_a_copy_that_does_not_say_to_what_the_address_is_held_is_not_believed() -> None:
    now = replace(installation(), egress=EgressRules("off"), environment="production")
    redis, ring, control = MemoryRedis(), parse_key_ring("proxy", new_key()), Control(InstallationAnswer(now))
    made = Installations(control, redis, ring, soft=60, hard=600, tasks=Tasks("test"))  # type: ignore[arg-type]  # the parts that are used
    # A worker of the version before leaves out what it does not know.
    before = SealedForm(ring, "connections", ResolvedInstallation)
    left = before.close("g/a/*", Aged(replace(now, egress=EgressRules(), environment=""), time.monotonic()))
    redis.values[redis_names.installation_key("g/a/*")] = left
    assert (await made.resolve("g/a/*", QUESTION)).egress == EgressRules("off")
    assert made.resolved._form.broken == 0


async def test_an_empty_answer_is_a_refusal() -> None:
    made, _ = installations(InstallationAnswer())
    with pytest.raises(Refusal) as refused:
        await made.resolve("g/a/*", QUESTION)
    assert refused.value.reason == "not_allowed"


UNDER_WAY = InstallationAnswer(refusal=InstallationRefusal("provider_away", "Asked.", under_way=True))
AWAY = InstallationAnswer(refusal=InstallationRefusal("provider_away", "Try again."))


async def test_a_token_that_a_provider_is_being_asked_for_is_waited_for() -> None:
    found = installation()
    made, control = installations(UNDER_WAY)
    control.later = [UNDER_WAY, InstallationAnswer(installation=found)]
    assert await made.resolve("g/a/*", QUESTION) == found
    assert (len(control.asked), control.waited) == (1, [QUESTION, QUESTION])
    assert made.known("g/a/*", QUESTION) == found


async def test_a_provider_that_gives_no_token_is_not_waited_for() -> None:
    made, control = installations(AWAY)
    with pytest.raises(Refusal, match="provider_away"):
        await made.resolve("g/a/*", QUESTION)
    control.answer, control.later = UNDER_WAY, [AWAY]
    with pytest.raises(Refusal) as refused:
        await made.resolve("g/a/*", QUESTION)
    assert refused.value.sentence == "Try again."
    assert len(control.waited) == 1


async def test_a_provider_that_takes_its_time_is_waited_for_no_longer_than_a_call_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AWAITED_S", 0.0)
    made, control = installations(UNDER_WAY)
    control.later = [UNDER_WAY]
    with pytest.raises(Refusal, match="provider_away"):
        await made.resolve("g/a/*", QUESTION)
    assert len(control.waited) == 1


async def test_keys_of_two_callers_never_meet() -> None:
    made, _ = await with_held(("g", "user:a"))
    assert made.known(made.key("g", "a", "user:b"), QUESTION) is None
    assert made.known(made.key("g", "a", None), QUESTION) is None


@pytest.mark.parametrize(
    ("route", "of"),
    [
        (Route("remote", "e", "crm", per_principal=False), None),
        (Route("remote", "e", "crm"), CALLER.key),
        (Route("remote", "e", "crm", per_credential=True), f"{CALLER.key}#{CALLER.proof.digest}"),
    ],
)
def test_whose_it_is_is_the_routes_to_say(route: Route, of: str | None) -> None:
    assert whose(route, CALLER) == of


def test_what_serves_somebody_without_an_account_goes_with_the_token_that_says_their_teams() -> None:
    zoe = Principal("external", "zoe", "zoe", frozenset({"partners"}))
    there, gone = caller_of(zoe, "1" * 64), caller_of(replace(zoe, teams=frozenset()), "2" * 64)
    keys = [whose(Route("remote", "e", "crm"), one) for one in (there, gone)]
    assert keys == ["external:zoe#" + "1" * 64, "external:zoe#" + "2" * 64]
    assert whose(Route("remote", "e", "crm", per_principal=False), there) is None


MINE, MY_KEY = f"{CALLER.key}#{CALLER.proof.digest}", f"g/a/{CALLER.key}#{CALLER.proof.digest}"


@pytest.mark.parametrize("made_for", [CALLER.key, CALLER.proof.digest])
async def test_what_was_made_for_a_caller_is_held_for_them(made_for: str) -> None:
    found = replace(installation(), made_for=made_for)
    made, _ = installations(InstallationAnswer(installation=found))
    assert await made.resolve(MY_KEY, QUESTION) == found
    assert held(made) == {MY_KEY}


@pytest.mark.parametrize(
    ("key", "made_for"),
    [
        ("g/a/*", CALLER.key), ("g/a/*", CALLER.proof.digest), (f"g/a/{CALLER.key}", CALLER.proof.digest),
        (MY_KEY, "user:another"), (MY_KEY, "another digest"),
    ],
)  # fmt: skip
async def test_what_was_made_for_one_caller_is_held_for_no_other(key: str, made_for: str) -> None:
    """A gateway may not have heard yet that an entry's server gets another credential for each caller."""
    made, _ = installations(InstallationAnswer(installation=replace(installation(), made_for=made_for)))
    with pytest.raises(SourceUnreachable):
        await made.resolve(key, QUESTION)
    assert held(made) == set()


async def test_what_is_made_of_credentials_goes_with_their_principal_and_with_a_provider() -> None:
    made, _ = await with_held(("g", MINE), ("g", f"{CALLER.key}#another"), ("g", "user:b#theirs"))
    await made.forget_principal(CALLER.key)
    assert held(made) == {"g/a/user:b#theirs"}
    found = replace(installation(), made_for=CALLER.key)
    made, _ = installations(InstallationAnswer(installation=found))
    await made.resolve(MY_KEY, QUESTION)
    await made.forget_made_for_callers()
    assert held(made) == set()


@pytest.mark.parametrize(
    ("principal", "left"),
    [
        ("user:a", {"g/a/user:b", "g/a/*", "h/a/user:b"}),
        ("team:t", {"g/a/*"}),
        ("user:c", {"g/a/user:a", "g/a/user:b", "g/a/*", "h/a/user:b"}),
    ],
)
async def test_what_a_principal_may_concern_is_forgotten(principal: str, left: set[str]) -> None:
    made, _ = await with_held(("g", "user:a"), ("g", "user:b"), ("g", None), ("h", "user:b"))
    await made.forget_principal(principal)
    assert held(made) == left


async def test_installations_entries_and_gateways_are_forgotten() -> None:
    made, found = await with_held(("g", None), ("gg", None))
    await made.forget_gateway("g")
    assert held(made) == {"gg/a/*"}
    await made.forget_installation("another")
    await made.forget_entry("another")
    assert held(made) == {"gg/a/*"}
    await made.forget_entry(found.entry_id)
    assert held(made) == set()


@pytest.mark.parametrize(
    ("left", "is_kept"), [(MARGIN_S + 60, True), (MARGIN_S - 1, False), (3, False), (-60, False)]
)
async def test_nothing_is_kept_when_little_of_its_credentials_life_is_left(left: float, is_kept: bool) -> None:
    ending = installation(expires_at=time.time() + left)
    made, control = installations(InstallationAnswer(installation=ending))
    assert await made.resolve("g/a/*", QUESTION) == ending, "the call that asked for it may try it"
    assert (made.known("g/a/*", QUESTION) == ending) == is_kept
    assert (made.young("g/a/*") == ending) == is_kept
    await made.resolve("g/a/*", QUESTION)
    assert len(control.asked) == 1 + (not is_kept)
