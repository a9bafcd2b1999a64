"""A verifier of signed tokens for tests: it looks at nothing, and takes whomever control knows by the whole token."""

from collections.abc import Awaitable

import pytest

from core.resolve import JwtProof
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.stages import authenticate


def by_signature(x: Exchange, credential: str, deps: Deps) -> Awaitable[None] | None:
    """Fill the caller by the verdict on a signed token."""
    proof = JwtProof.of(credential)
    return None if authenticate._is_known(x, proof, deps) else authenticate._ask(x, proof, deps)


def take_signed_tokens(patched: pytest.MonkeyPatch, *, instead: bool = False) -> None:
    """Let whatever is no `arch_` token be a signed one; `instead`: those too."""
    patched.setattr(
        authenticate, "SHAPES", (*(() if instead else authenticate.SHAPES), (lambda _: True, by_signature))
    )
