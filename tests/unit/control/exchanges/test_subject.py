from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from control.exchanges.subject import Subject, Whose, subject_of
from control.identity.kept_state import NotKept, Wanted
from control.identity.token_endpoint import ProviderTokens


@dataclass
class Kept:
    """Gives the same tokens to everybody, or nothing."""

    found: Any
    asked: list[tuple[str, str, float, Wanted]] = field(default_factory=list)

    async def living(
        self,
        user_id: str,
        provider_id: str,
        *,
        newer_than: float = 0.0,
        within: float = 0.0,
        wants: Wanted = "access_token",
    ) -> Any:
        assert within > 0, "it would wait for as long as it likes"
        self.asked.append((user_id, provider_id, newer_than, wants))
        return self.found


@pytest.mark.parametrize(("wants", "token"), [("access_token", "a"), ("id_token", "i")])
async def test_of_a_sign_in_what_the_provider_takes_is_exchanged(wants: Wanted, token: str) -> None:
    kept = Kept(ProviderTokens("a", "i"))
    assert await subject_of(kept, Whose("ann"), "p1", wants, 7.0) == Subject(wants, token)
    assert kept.asked == [("ann", "p1", 7.0, wants)]


async def test_a_callers_own_token_is_an_access_token_and_no_sign_in_is_asked() -> None:
    kept = Kept(None)
    found = await subject_of(kept, Whose(own_token="e.y.j"), "p1", "id_token")
    assert found == Subject("access_token", "e.y.j")
    assert kept.asked == []


async def test_what_is_missing_is_told_as_it_is() -> None:
    missing = NotKept("gone", "Sign in again.")
    assert await subject_of(Kept(missing), Whose("ann"), "p1", "access_token") is missing


def test_no_token_is_in_a_repr() -> None:
    assert "s3cret" not in f"{Whose(own_token='s3cret')!r} {Subject('access_token', 's3cret')!r}"
