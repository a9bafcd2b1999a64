"""Authenticate: the shape of the credential picks exactly one verifier, and its refusal is final.

There is no anonymous principal. `SHAPES` lists what may come as `Authorization: Bearer`, each shape with its
verifier; at present there is one, an `arch_` token. The credential is used up here: later stages see the caller.
Whether a token is accepted is judged by control, in `control/registry/token_validity.py`; the verdict is remembered
in `proxy/resolve/caller_verdicts.py`. Leaves out which ways of authenticating a gateway accepts (`enter_gateway.py`).
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from core.resolve import CallerVerdict, Proof, TokenProof
from core.tokens import PREFIX, digest, well_formed
from proxy.caches.two_ages import SourceUnreachable
from proxy.caller import Caller
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.telemetry.metrics import AUTHENTICATIONS, by_value

_OUTCOMES: Final = by_value(AUTHENTICATIONS)
_ACCEPTED: Final = _OUTCOMES["accepted"]

HasShape: TypeAlias = Callable[[str], bool]
Verify: TypeAlias = Callable[[Exchange, str, Deps], Awaitable[None] | None]
"""Fills the caller by a credential of its shape, or refuses; waits only for a cold one."""


def authenticate(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill the caller. Refuses 401, 403 for an API token, and 429 or 503 where nobody could be asked; waits only
    for a cold credential.
    """
    judged = x.head.judged
    if judged is not None and judged.caller is not None:
        proof = judged.caller.proof  # of the same bytes as before, which were accepted then
        return None if _is_known(x, proof, deps) else _ask(x, proof, deps)
    credential = _presented(x, deps)
    for has_shape, verify in SHAPES:
        if has_shape(credential):
            return verify(x, credential, deps)
    raise _not_authenticated(deps, "malformed")


def is_arch_token(credential: str) -> bool:
    """Whether it says of itself that it is a token of ours."""
    return credential.startswith(PREFIX)


def by_digest(x: Exchange, credential: str, deps: Deps) -> Awaitable[None] | None:
    """Fill the caller by the verdict on a token with this digest."""
    proof = TokenProof(digest(credential))
    if _is_known(x, proof, deps):
        return None
    # What has no token's form is nowhere known: only now is that worth a look.
    if well_formed(credential) is None:
        raise _not_authenticated(deps, "malformed")
    return _ask(x, proof, deps)


SHAPES: Final[tuple[tuple[HasShape, Verify], ...]] = ((is_arch_token, by_digest),)
"""Each shape of a credential, and the one verifier of its. No credential has two of them.

A verdict is found by the credential alone: what a credential is good for beside its bearer, such as one gateway, its
verifier checks itself, before it looks for a verdict. That is done once for each head, which names the gateway.
"""


def _presented(x: Exchange, deps: Deps) -> str:
    """The credential, taken out of the exchange's headers; those of the head may be another exchange's too."""
    x.headers = dict(x.headers)
    presented = x.headers.pop("authorization", None)
    if presented is None:
        raise _not_authenticated(deps, "missing", presented=False)
    scheme, _, credential = presented.partition(" ")
    if scheme.lower() != "bearer":
        raise _not_authenticated(deps, "malformed")
    return credential


def _is_known(x: Exchange, proof: Proof, deps: Deps) -> bool:
    """Fill the caller by the verdict that is remembered; False where there is none."""
    if deps.authority.refused_lately(proof.digest):
        raise _not_authenticated(deps, "refused")
    verdict = deps.authority.known(proof)
    if verdict is None:
        return False
    _accept(x, verdict, proof, deps)
    return True


async def _ask(x: Exchange, proof: Proof, deps: Deps) -> None:
    try:
        verdict = await deps.authority.verdict(proof, x.address)
    except SourceUnreachable:
        deps.slots.add(_OUTCOMES["unavailable"])
        raise Refusal("cannot_authenticate") from None
    except Refusal as refusal:
        deps.slots.add(_OUTCOMES["too_many_unknown" if refusal.reason == "too_many_unknown" else "refused"])
        raise
    _accept(x, verdict, proof, deps)


def _not_authenticated(deps: Deps, why: str, *, presented: bool = True) -> Refusal:
    deps.slots.add(_OUTCOMES[why])
    return Refusal("not_authenticated", presented=True) if presented else Refusal("not_authenticated")


def _accept(x: Exchange, verdict: CallerVerdict, proof: Proof, deps: Deps) -> None:
    judged = x.head.judged
    before = judged.caller if judged is not None else None
    if before is not None and before.verdict is verdict:  # what was accepted with the same bytes
        deps.slots.add(_ACCEPTED)
        x.caller = before
        return
    if verdict.principal is None or not verdict.is_about(proof):
        raise _kept_out(x, verdict, proof, deps)
    deps.slots.add(_ACCEPTED)
    x.caller = Caller(verdict, proof)
    if judged is None:
        return
    judged.caller = x.caller
    if before is None:
        judged.headers = x.headers
        if x.head.headers is not None:
            x.head.headers = x.headers


def _kept_out(x: Exchange, verdict: CallerVerdict, proof: Proof, deps: Deps) -> Refusal:
    """The refusal of a token that holds and is not for gateways: its bearer is told to records, and to no stage."""
    if verdict.kept_out is None or not verdict.is_about(proof):
        return _not_authenticated(deps, "refused")
    deps.slots.add(_OUTCOMES["refused"])
    x.caller = Caller(verdict, proof)
    return Refusal("token_for_api")
