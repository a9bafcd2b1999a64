from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from core.resolve import CallerVerdict, Credential, Principal, Proof, TokenProof
from core.tokens import digest, new_token
from proxy.caches.two_ages import Aged
from proxy.caller import STRANGER
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.stages import authenticate as stage
from proxy.stages.admit import admit
from proxy.stages.authenticate import SHAPES, authenticate
from proxy.telemetry.metrics import AUTHENTICATIONS, by_value
from tests.fakes.proxy_parts import exchange, known_token, user


def with_credential(value: str | None) -> Exchange:
    x = exchange({})
    x.headers = {} if value is None else {"authorization": value}
    return x


async def test_a_known_token_names_its_bearer_without_waiting_and_is_used_up(deps: Deps) -> None:
    principal = user()
    token = known_token(deps, principal)
    x = with_credential(f"bearer {token}")

    assert authenticate(x, deps) is None

    assert (x.caller.principal, x.caller.key) == (principal, f"user:{principal.id}")
    assert x.caller.credential == Credential("token", "token-id")
    assert x.caller.proof == TokenProof(digest(token))
    assert "authorization" not in x.headers
    assert token not in repr(x)
    assert outcomes(deps) == {"accepted": 1}


def outcomes(deps: Deps) -> dict[str, float]:
    """How authentications ended, as they are counted."""
    counted = {value: deps.slots.value(name) for value, name in by_value(AUTHENTICATIONS).items()}
    return {value: number for value, number in counted.items() if number}


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer ", "Basic x", "Bearer arch_x", "arch_x", "Bearer eyJ.e30.c2ln"]
)
async def test_what_is_no_token_is_refused_without_asking(deps: Deps, value: str | None) -> None:
    with pytest.raises(Refusal) as caught:
        authenticate(with_credential(value), deps)
    assert caught.value.reason == "not_authenticated"
    assert ("presented" in caught.value.words) == (value is not None)
    assert outcomes(deps) == {"missing" if value is None else "malformed": 1}


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: f" {t}", lambda t: t + "0", lambda t: t.swapcase()])
async def test_a_known_token_written_otherwise_is_none(deps: Deps, change: Callable[[str], str]) -> None:
    token = known_token(deps, user())
    with pytest.raises(Refusal, match="not_authenticated"):
        authenticate(with_credential(f"Bearer {change(token)}"), deps)


async def test_an_unknown_token_cannot_be_judged_while_control_is_away(deps: Deps) -> None:
    pending = authenticate(with_credential(f"Bearer {new_token()}"), deps)
    assert pending is not None
    with pytest.raises(Refusal, match="cannot_authenticate"):
        await pending
    assert outcomes(deps) == {"unavailable": 1}


@pytest.mark.parametrize(
    ("reason", "outcome"), [("not_authenticated", "refused"), ("too_many_unknown", "too_many_unknown")]
)
async def test_what_control_or_the_budget_refuses_is_counted_as_such(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, reason: str, outcome: str
) -> None:
    async def refuse(proof: Proof, address: str) -> None:
        raise Refusal(reason, retry_after=1)

    monkeypatch.setattr(deps.authority, "verdict", refuse)
    pending = authenticate(with_credential(f"Bearer {new_token()}"), deps)
    assert pending is not None
    with pytest.raises(Refusal, match=reason):
        await pending
    assert outcomes(deps) == {outcome: 1}


@pytest.mark.parametrize("field", ["principal", "kept_out"])
async def test_a_verdict_on_a_credential_of_another_kind_names_nobody(deps: Deps, field: str) -> None:
    token = known_token(deps, user())
    memory = deps.authority.verdicts.memory
    ((key, aged),) = memory.items()
    other = CallerVerdict(key, credential_id="grant", auth="oauth", **{field: aged.value.principal})
    memory.put(key, Aged(other, aged.asked))
    x = with_credential(f"Bearer {token}")
    with pytest.raises(Refusal, match="not_authenticated"):
        authenticate(x, deps)
    assert x.caller is STRANGER


async def test_a_verdict_past_its_expiry_is_none(deps: Deps) -> None:
    token = known_token(deps, user(), expires=time.time() - 1)
    pending = authenticate(with_credential(f"Bearer {token}"), deps)
    assert pending is not None
    with pytest.raises(Refusal, match="cannot_authenticate"):
        await pending


async def test_a_verdict_past_its_soft_age_serves_while_control_is_away(deps: Deps) -> None:
    principal = user()
    x = with_credential(f"Bearer {known_token(deps, principal, age=300)}")
    pending = authenticate(x, deps)
    assert pending is not None
    await pending
    assert x.caller.principal == principal


@pytest.mark.parametrize("again", [1, 2])
async def test_a_token_for_the_api_is_refused_as_such_and_nobody_is_asked_again(deps: Deps, again: int) -> None:
    principal = user()
    token = known_token(deps, principal, for_api=True)
    for _ in range(again):
        x = with_credential(f"Bearer {token}")
        with pytest.raises(Refusal, match="token_for_api"):
            authenticate(x, deps)
        assert (x.caller.principal, x.caller.key) == (None, f"user:{principal.id}")
        assert x.caller.credential == Credential("token", "token-id")
    assert outcomes(deps) == {"refused": again}


@pytest.mark.parametrize(
    ("principal", "key"),
    [
        (Principal("user", "1", "Ada"), "user:1"),
        (Principal("team", "2", "Red"), "team:2"),
        (Principal("organisation", "3", "Acme"), "organisation"),
    ],
)
def test_kinds_of_principals_never_share_a_key(principal: Principal, key: str) -> None:
    assert principal.key == key


async def test_a_head_that_two_exchanges_share_loses_its_credential_only_once_that_was_accepted(deps: Deps) -> None:
    token = new_token()
    one = exchange({"Authorization": f"Bearer {token}"})
    admit(one, deps)
    shared = one.head.judged
    assert shared is not None
    pending = authenticate(one, deps)
    assert pending is not None  # nobody knows the token yet
    assert "authorization" in shared.headers
    with suppress(Refusal):
        await pending

    known_token(deps, user(), token=token)
    other = Exchange(one.head, one.outlet)
    admit(other, deps)
    assert authenticate(other, deps) is None
    assert "authorization" not in shared.headers
    assert shared.caller is other.caller


async def test_what_a_head_was_accepted_with_is_not_judged_anew_while_the_verdict_is_the_same(deps: Deps) -> None:
    token = known_token(deps, user())
    one = exchange({"Authorization": f"Bearer {token}"})
    again = Exchange(one.head, one.outlet)
    for x in (one, again):
        admit(x, deps)
        assert authenticate(x, deps) is None
    assert again.caller is one.caller

    known_token(deps, changed := user(teams=frozenset({"red"})), token=token)
    after = Exchange(one.head, one.outlet)
    admit(after, deps)
    assert authenticate(after, deps) is None
    assert after.caller.principal == changed
    assert "authorization" not in after.headers


def test_no_credential_has_the_shape_of_two_verifiers() -> None:
    shaped = (new_token(), "arch_x", "eyJ.e30.c2ln", "arch_eyJ.e30.c2ln")
    for credential in (*shaped, "", "Arch_x", "eyJ.e30", "eyJ.e30.c2ln.x", "eyJ.a.b.c.d", "e30.e30.c2ln", "sk-x.y.z"):
        assert sum(has_shape(credential) for has_shape, _ in SHAPES) == (credential in shaped)


async def test_the_shape_picks_one_verifier_and_its_refusal_is_final(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def takes_all(x: Exchange, credential: str, _: Deps) -> None:
        asked.append(credential)

    monkeypatch.setattr(stage, "SHAPES", (*SHAPES, (lambda _: True, takes_all)))
    for credential in ("arch_x", "eyJ.e30.c2ln"):
        with pytest.raises(Refusal, match="not_authenticated"):
            authenticate(with_credential(f"Bearer {credential}"), deps)
    assert asked == []
    authenticate(with_credential("Bearer of another shape"), deps)
    assert asked == ["of another shape"]
