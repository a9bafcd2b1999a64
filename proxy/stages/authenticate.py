"""Authenticate: the shape of the credential picks exactly one verifier, and its refusal is final.

There is no anonymous principal. At present there is one shape: an `arch_` token as `Authorization: Bearer`. The
token is used up here: nothing after this stage sees it. Whether a token is accepted is judged by control, in
`control/registry/token_validity.py`; the verdict is remembered in `proxy/resolve/token_verdicts.py`.
"""

from collections.abc import Awaitable
from typing import Final

from core.resolve import TokenVerdict
from core.tokens import digest, well_formed
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.telemetry.metrics import AUTHENTICATIONS, by_value

_OUTCOMES: Final = by_value(AUTHENTICATIONS)
_ACCEPTED: Final = _OUTCOMES["accepted"]


def authenticate(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill the principal. Refuses 401, 403 for an API token, and 429 or 503 where nobody could be asked; waits only
    for a cold token.
    """
    judged, credential = x.head.judged, None
    if judged is not None and judged.token_digest:
        x.token_digest = judged.token_digest  # of the same bytes as before, which were accepted then
    else:
        credential = _presented(x, deps)
        x.token_digest = digest(credential)
    if deps.authority.refused_lately(x.token_digest):
        raise _not_authenticated(deps, "refused")
    verdict = deps.authority.known(x.token_digest)
    if verdict is None:
        # What has no token's form is nowhere known: only now is that worth a look.
        if credential is not None and well_formed(credential) is None:
            raise _not_authenticated(deps, "malformed")
        return _ask(x, deps)
    _accept(x, verdict, deps)
    return None


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


async def _ask(x: Exchange, deps: Deps) -> None:
    try:
        verdict = await deps.authority.verdict(x.token_digest, x.address)
    except SourceUnreachable:
        deps.slots.add(_OUTCOMES["unavailable"])
        raise Refusal("cannot_authenticate") from None
    except Refusal as refusal:
        deps.slots.add(_OUTCOMES["too_many_unknown" if refusal.reason == "too_many_unknown" else "refused"])
        raise
    _accept(x, verdict, deps)


def _not_authenticated(deps: Deps, why: str, *, presented: bool = True) -> Refusal:
    deps.slots.add(_OUTCOMES[why])
    return Refusal("not_authenticated", presented=True) if presented else Refusal("not_authenticated")


def _accept(x: Exchange, verdict: TokenVerdict, deps: Deps) -> None:
    if verdict.principal is None or verdict.digest != x.token_digest:
        raise _kept_out(x, verdict, deps)
    deps.slots.add(_ACCEPTED)
    x.principal = verdict.principal
    x.principal_key = verdict.principal.key
    x.token_id = verdict.token_id
    judged = x.head.judged
    if judged is not None and not judged.token_digest:
        judged.headers, judged.token_digest = x.headers, x.token_digest
        if x.head.headers is not None:
            x.head.headers = x.headers


def _kept_out(x: Exchange, verdict: TokenVerdict, deps: Deps) -> Refusal:
    """The refusal of a token that holds and is not for gateways: its bearer is told to records, and to no stage."""
    if verdict.kept_out is None or verdict.digest != x.token_digest:
        return _not_authenticated(deps, "refused")
    deps.slots.add(_OUTCOMES["refused"])
    x.principal_key, x.token_id = verdict.kept_out.key, verdict.token_id
    return Refusal("token_for_api")
