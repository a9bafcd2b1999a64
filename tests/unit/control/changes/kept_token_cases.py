"""The changes of what identity providers gave at people's own sign-ins, for `test_every_change.py`: what each does,
and that it leaves nothing behind for people and for proxies.
"""

from __future__ import annotations

from typing import Any, Final

from control.changes import identities, kept_tokens
from control.registry.identity import SignInGiven
from core.identifiers import new_id
from tests.fakes.providers import a_person

GIVEN = SignInGiven(b"sealed")

KEPT_TOKENS: Final[dict[str, Any]] = {
    "identities.sign_in": (
        lambda write, there: identities.sign_in(write, there.provider, there.identity, a_person(), GIVEN),
        "",
    ),
    "kept_tokens.lease": (lambda write, there: kept_tokens.lease(write, there.identity, new_id(), 60.0), ""),
    "kept_tokens.keep": (lambda write, there: kept_tokens.keep(write, there.identity, b"sealed", None), ""),
    "kept_tokens.note_answer": (lambda write, there: kept_tokens.note_answer(write, there.identity), ""),
    "kept_tokens.fail": (lambda write, there: kept_tokens.fail(write, there.identity, new_id(), "away"), ""),
    "kept_tokens.forget_ended": (lambda write, _: kept_tokens.forget_ended(write), ""),
}
