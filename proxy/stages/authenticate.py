"""Authenticate: the shape of the credential picks exactly one verifier, and its refusal is final.

There is no anonymous principal. `SHAPES` lists what may come as `Authorization: Bearer`, each shape with its
verifier: an `arch_` token, and a signed token (JWT), which may be an access token of ours or an identity provider's
own; its issuer says which. The credential is used up here: later stages see the caller. A signed token is first
checked without asking anybody (`proxy/callers/`). Whether a credential is accepted now is judged by control, in
`control/registry/token_validity.py` and beside it; the verdict is remembered in `proxy/resolve/caller_verdicts.py`.
Leaves out which ways of authenticating a gateway accepts (`enter_gateway.py`).
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from core.jwt import CALL_SCOPE
from core.resolve import CallerVerdict, JwtProof, Proof, TokenProof
from core.tokens import PREFIX, digest, well_formed
from proxy.caches.two_ages import SourceUnreachable
from proxy.caller import STRANGER, Caller
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.telemetry.metrics import AUTHENTICATIONS, by_value
from proxy.verified_token import Verified, look

_OUTCOMES: Final = by_value(AUTHENTICATIONS)
_ACCEPTED: Final = _OUTCOMES["accepted"]
_COUNTED_AS: Final = {
    "too_many_unknown": "too_many_unknown",
    "overloaded": "too_many_unknown",
    "cannot_authenticate": "unavailable",
}
"""How a refusal that comes of asking is counted; others as `refused`."""

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


async def judged_again(caller: Caller, gateway_name: str, address: str, deps: Deps) -> Caller:
    """Who somebody is by now, that was let in at this gateway before; a stranger where nothing speaks for them.

    Asked about who has a stream open or a call running, when a change may concern them.
    """
    try:
        verified = await _verified(caller.proof, gateway_name, address, deps)
        verdict = await deps.authority.verdict(caller.proof, address)
    except (Refusal, SourceUnreachable):
        return STRANGER
    if not _holds(verdict, caller.proof, verified):
        return STRANGER
    return Caller(verdict, caller.proof, verified)


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


def is_jwt(credential: str) -> bool:
    """Whether it looks like a JSON Web Token in its short form: three parts, of which the first begins an object."""
    return credential.startswith("eyJ") and credential.count(".") == 2


def by_signature(x: Exchange, credential: str, deps: Deps) -> Awaitable[None] | None:
    """Fill the caller by what is verified of a signed token, and by the verdict on who bears it now."""
    proof = JwtProof.of(credential)
    if _is_known(x, proof, deps):
        return None
    # As above: its form is worth a look only now. An issuer is asked about only where a gateway names it.
    if look(credential) is None:
        raise _not_authenticated(deps, "malformed")
    return _ask(x, proof, deps)


SHAPES: Final[tuple[tuple[HasShape, Verify], ...]] = ((is_arch_token, by_digest), (is_jwt, by_signature))
"""Each shape of a credential, and the one verifier of its. No credential has two of them.

A verdict is found by the credential alone: what a credential is good for beside its bearer, such as one gateway, its
verifier checks itself, before it looks for a verdict.
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
    verified = None
    if isinstance(proof, JwtProof):
        verified = deps.signed_tokens.known(proof.digest, x.gateway_name)
        if verified is None:
            return False
    verdict = deps.authority.known(proof)
    if verdict is None:
        return False
    _accept(x, verdict, proof, deps, verified)
    return True


async def _verified(proof: Proof, gateway_name: str, address: str, deps: Deps) -> Verified | None:
    """What is verified of a signed token here; None for another proof. Raises Refusal, and SourceUnreachable."""
    if not isinstance(proof, JwtProof):
        return None
    known = deps.signed_tokens.known(proof.digest, gateway_name)
    return known or await deps.signed_tokens.verified(proof, gateway_name, address)


async def _ask(x: Exchange, proof: Proof, deps: Deps) -> None:
    try:
        verified = await _verified(proof, x.gateway_name, x.address, deps)
        verdict = await deps.authority.verdict(proof, x.address)
    except SourceUnreachable:
        deps.slots.add(_OUTCOMES["unavailable"])
        raise Refusal("cannot_authenticate") from None
    except Refusal as refusal:
        deps.slots.add(_OUTCOMES[_COUNTED_AS.get(refusal.reason, "refused")])
        raise
    _accept(x, verdict, proof, deps, verified)


def _not_authenticated(deps: Deps, why: str, *, presented: bool = True) -> Refusal:
    deps.slots.add(_OUTCOMES[why])
    return Refusal("not_authenticated", presented=why) if presented else Refusal("not_authenticated")


def _holds(verdict: CallerVerdict, proof: Proof, verified: Verified | None) -> bool:
    """Whether the verdict lets its bearer in: it is about this very credential, and about one of its kind."""
    of_its_kind = verified is None or verdict.auth == verified.way
    return verdict.principal is not None and verdict.is_about(proof) and of_its_kind


def _accept(x: Exchange, verdict: CallerVerdict, proof: Proof, deps: Deps, verified: Verified | None) -> None:
    judged = x.head.judged
    before = judged.caller if judged is not None else None
    if before is not None and before.verdict is verdict and before.verified is verified:  # accepted with these bytes
        deps.slots.add(_ACCEPTED)
        x.caller = before
        return
    if not _holds(verdict, proof, verified):
        raise _kept_out(x, verdict, proof, deps)
    if verified is not None and not verified.may_call:
        deps.slots.add(_OUTCOMES["refused"])
        x.caller = Caller(verdict, proof, verified)
        raise Refusal("scope_missing", scope=CALL_SCOPE)
    deps.slots.add(_ACCEPTED)
    x.caller = Caller(verdict, proof, verified)
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
