"""What the pods of a probe tell: where one listens, what one saw, and why there is nothing to be had of one. Pure."""

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

import orjson

from control.orchestrator.container import CONTAINER
from control.orchestrator.pod_words import Words, words_of
from control.orchestrator.probing.verdicts import Seen
from control.registry.server_causes import CAUSES
from core.reach_terms import Outcome

Thing = Mapping[str, Any]
_OUTCOMES: Final = get_args(Outcome)


class NoWord(Exception):
    """A pod of a probe will not tell; the sentence says why."""


def address_of(pod: Thing) -> str | None:
    """The address at which it listens; None until it does. Raises NoWord where it never will."""
    _check(pod)
    state = _container(pod).get("state") or {}
    return (pod.get("status") or {}).get("podIP") or None if "running" in state else None


def seen_by(pod: Thing) -> Seen | None:
    """What it saw; None until it has ended. Raises NoWord where it never will tell."""
    ended = (_container(pod).get("state") or {}).get("terminated")
    if ended is None or ended.get("exitCode") != 0:
        _check(pod)
        return None
    try:
        told = orjson.loads(ended.get("message", ""))
    except ValueError:
        told = None
    if not isinstance(told, dict) or any(word not in _OUTCOMES for word in told.values()):
        raise NoWord("The probe's pod ended without a word of what it saw.")
    return cast("Seen", told)


def waits_for(pod: Thing | None) -> NoWord:
    """Why nothing has come of it, when the time is over."""
    if pod is None:
        return NoWord("The probe's pod was taken away by somebody.")
    return NoWord(_sentences("The probe's pod did not get as far as it should in time.", words_of(pod)))


def _check(pod: Thing) -> None:
    status = pod.get("status") or {}
    ended = (_container(pod).get("state") or {}).get("terminated")
    if ended is not None:
        words = f"with status {ended.get('exitCode')}: {ended.get('message', '').strip() or ended.get('reason', '')}"
        raise NoWord(f"The probe's pod ended {words}")
    if status.get("phase") == "Failed":
        raise NoWord(f"The probe's pod was ended. {status.get('reason', '')}: {status.get('message', '')}")
    said = words_of(pod)
    if said.phase == "failed" and "running" not in (_container(pod).get("state") or {}):
        raise NoWord(_sentences("The probe's pod cannot start.", said))


def _sentences(first: str, said: Words) -> str:
    cause = CAUSES.get(said.cause)
    return " ".join(filter(None, (first, "" if cause is None else cause.sentence, said.message)))


def _container(pod: Thing) -> Thing:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((one for one in statuses if one["name"] == CONTAINER), {})
