"""Which tokens are accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from control.registry.token_validity import refusal_of

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Judged:
    revoked_at: datetime | None = None
    expired: bool = False
    owner_disabled_at: datetime | None = None


@pytest.mark.parametrize(
    ("token", "refused"),
    [
        (Judged(), ""),
        (Judged(owner_disabled_at=NOW), "disabled"),
        (Judged(owner_disabled_at=NOW, expired=True), "expired"),
        (Judged(owner_disabled_at=NOW, expired=True, revoked_at=NOW), "revoked"),
        (Judged(revoked_at=NOW), "revoked"),
    ],
)
def test_a_token_is_accepted_unless_revoked_expired_or_of_a_disabled_user(token: Judged, refused: str) -> None:
    assert refusal_of(token) == refused
