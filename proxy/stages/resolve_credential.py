"""Resolve the credential: which upstream, with which headers, for this caller and this target."""

from collections.abc import Awaitable
from typing import Final

from core.resolve import InstallationQuestion
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.resolve.installations import whose
from proxy.telemetry.metrics import RESOLUTIONS, by_value

_OUTCOMES: Final = by_value(RESOLUTIONS)
_REMEMBERED: Final = _OUTCOMES["remembered"]


def resolve_credential(x: Exchange, deps: Deps) -> Awaitable[None] | None:
    """Fill the installation. Refuses with control's reason and a link; waits only for a cold key."""
    key = key_of(x, deps)
    found = deps.installations.young(key)
    if found is None:
        question = question_of(x)
        found = deps.installations.known(key, question)
        if found is None:
            return _ask(x, deps, key, question)
    x.installation = found.carrying(x.caller.proof) if found.caller_token else found
    deps.slots.add(_REMEMBERED)
    return None


async def _ask(x: Exchange, deps: Deps, key: str, question: InstallationQuestion) -> None:
    assert x.target is not None
    try:
        found = await deps.installations.resolve(key, question)
    except SourceUnreachable:
        deps.slots.add(_OUTCOMES["unavailable"])
        raise Refusal("credential_unavailable", server=x.target.route.entry) from None
    except Refusal:
        deps.slots.add(_OUTCOMES["refused"])
        raise
    x.installation = found.carrying(x.caller.proof)
    deps.slots.add(_OUTCOMES["asked"])


def key_of(x: Exchange, deps: Deps) -> str:
    """Under which the installation of this call is remembered."""
    target = x.target
    assert target is not None
    assert x.gateway is not None
    return deps.installations.key(x.gateway.id, target.assignment_id, whose(target.route, x.caller))


def question_of(x: Exchange) -> InstallationQuestion:
    """What control is asked about the installation of this call."""
    assert x.target is not None
    assert x.gateway is not None
    return InstallationQuestion.of(x.caller.proof, x.gateway.id, x.target.assignment_id)
