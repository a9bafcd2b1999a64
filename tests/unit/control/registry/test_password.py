"""Passwords as the registry keeps them."""

from datetime import UTC, datetime

from control.registry.password import Claimed, KeptPassword, told_of_password

HASH = "$argon2id$secret"


def test_no_text_of_a_password_shows_its_hash() -> None:
    kept = KeptPassword(user_id="u", hash=HASH, changed_at=datetime(2030, 1, 1, tzinfo=UTC))
    claimed = Claimed(user_id="u", hash=HASH, disabled=False)
    assert HASH not in f"{kept!r} {claimed!r} {told_of_password('u', kept.changed_at)}"
