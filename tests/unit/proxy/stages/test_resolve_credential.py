import pytest

from core.resolve import InstallationQuestion, JwtProof, ResolvedInstallation
from proxy.caches.two_ages import SourceUnreachable
from proxy.caller import Caller
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.stages.choose_tool import choose_tool
from proxy.stages.resolve_credential import resolve_credential
from proxy.telemetry.metrics import RESOLUTIONS, by_value
from tests.fakes.call_parts import exchange, gateway, installation, parts, tool


class Answers:
    """Control's answers about connections, instead of a control."""

    def __init__(self, answer: ResolvedInstallation | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, InstallationQuestion]] = []

    def young(self, key: str) -> ResolvedInstallation | None:
        return None

    def known(self, key: str, question: InstallationQuestion) -> ResolvedInstallation | None:
        return None

    @staticmethod
    def key(gateway_id: str, assignment_id: str, principal_key: str | None) -> str:
        return f"{gateway_id} {assignment_id} {principal_key}"

    async def resolve(self, key: str, question: InstallationQuestion) -> ResolvedInstallation:
        self.asked.append((key, question))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def resolved(x: Exchange, answers: Answers) -> None:
    """Waits for the answer; that it was counted, once and as what it was, is checked here."""
    async with parts() as deps:
        choose_tool(x, deps)
        deps.installations = answers  # type: ignore[assignment]  # the same four methods
        pending = resolve_credential(x, deps)
        assert pending is not None
        try:
            await pending
        finally:
            outcomes = {Refusal: "refused", SourceUnreachable: "unavailable", ResolvedInstallation: "asked"}
            counted = {value: deps.slots.value(name) for value, name in by_value(RESOLUTIONS).items()}
            assert [value for value, number in counted.items() if number] == [outcomes[type(answers.answer)]]


@pytest.mark.parametrize(("per_principal", "caller"), [(True, "user:u"), (False, "None")])
async def test_a_connection_that_is_the_callers_own_is_asked_for_under_their_name(
    per_principal: bool, caller: str
) -> None:
    held = gateway([tool(per_principal=per_principal)])
    x, answers = exchange(held), Answers(installation())

    await resolved(x, answers)

    ((key, question),) = answers.asked
    assert x.installation == answers.answer
    assert key == f"{held.id} {held.tools[0].assignment_id} {caller}"
    assert question == InstallationQuestion(x.caller.proof.digest, held.id, held.tools[0].assignment_id)


async def test_the_callers_own_token_is_put_into_the_installation_of_their_call() -> None:
    proof = JwtProof.of("eyJh.eyJp.c2ln")
    x, answers = exchange(gateway([tool(per_credential=True)])), Answers(installation(caller_token=True))
    x.caller = Caller(x.caller.verdict, proof)

    await resolved(x, answers)

    assert x.installation is not None
    assert x.installation.own_headers == {"authorization": f"Bearer {proof.jwt}"}
    ((key, question),) = answers.asked
    assert key.endswith(f"user:u#{proof.digest}")
    assert question.jwt == proof.jwt


async def test_controls_refusal_is_the_callers() -> None:
    with pytest.raises(Refusal) as refusal:
        await resolved(exchange(gateway([tool()])), Answers(Refusal("needs_sign_in", why="Sign in.", link="L")))
    assert (refusal.value.reason, refusal.value.sentence, refusal.value.link) == ("needs_sign_in", "Sign in.", "L")


async def test_with_nobody_to_ask_the_call_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        await resolved(exchange(gateway([tool()])), Answers(SourceUnreachable()))
    assert refusal.value.reason == "credential_unavailable"
