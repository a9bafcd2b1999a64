"""Renew the credential: what follows where an upstream has refused it before the call was run.

No stage of its own: `receive` asks here when a call was answered 401, or 403 since its token may not do enough, and
sends the call once more with what it gets. A server's refusal of a key that nobody can renew stays what it is. Also
`relay` asks here, where only the words of a result look like that: that call has run, and is not sent again.
"""

import time
from typing import Final

from msgspec.structs import replace

from core.resolve import InstallationQuestion, ResolvedInstallation
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.stages.compose_headers import compose_headers
from proxy.stages.resolve_credential import key_of, question_of
from proxy.telemetry.metrics import RENEWALS, by_value

_OUTCOMES: Final = by_value(RENEWALS)


async def renew_credential(x: Exchange, deps: Deps, refusal: Refusal) -> float | None:
    """Fill installation and outbound request once more. Raises a better refusal, if control has one.

    Returns the monotonic time at which the call is given up that is to be sent again; None where it is not.
    """
    installation, question = x.installation, _question(x, refusal)
    if installation is None or question is None:
        return None
    until = time.monotonic() + deps.upstreams.sent.seconds_for(installation) - (time.perf_counter() - x.began)
    try:
        newer = await deps.installations.renewals.newer(key_of(x, deps), question, installation, until)
    except SourceUnreachable:
        deps.slots.add(_OUTCOMES["unavailable"])
        if installation.expires_at:  # it is a token, for which there may be a newer one
            raise Refusal("credential_unavailable", server=installation.entry) from refusal
        return None
    except Refusal:
        deps.slots.add(_OUTCOMES["refused"])
        raise
    deps.slots.add(_OUTCOMES["nothing_newer" if newer is None else "renewed"])
    if newer is None or time.monotonic() >= until:
        return None
    x.installation, x.sent = newer, None
    compose_headers(x, deps)
    return until


def suspect_credential(x: Exchange, deps: Deps) -> None:
    """Have control asked, in the background and seldom, about the credential of a call whose result looks refused."""
    assert x.installation is not None
    if not x.installation.caller_token:
        question = _refused(x, x.installation)
        deps.installations.renewals.suspect(key_of(x, deps), question, x.installation)


def _question(x: Exchange, refusal: Refusal) -> InstallationQuestion | None:
    """What control is told of a refusal; None for one that says nothing of a credential which may be renewed."""
    if refusal.reason != "upstream_credential" or x.installation is None or x.installation.caller_token:
        return None  # of the caller's own token nobody but the caller has a newer one
    scopes, status = refusal.words.get("needed_scopes"), refusal.words.get("status")
    if status == 401:
        return _refused(x, x.installation)
    if scopes is None:
        return None
    return replace(question_of(x), needed_scopes=scopes, too_few_scopes=not scopes)


def _refused(x: Exchange, installation: ResolvedInstallation) -> InstallationQuestion:
    version, obtained = installation.version, installation.obtained_at
    return replace(question_of(x), refused_version=version, refused_obtained=obtained)
