"""Which refusals, and which reads of a gateway's metadata, are steps of signing in: control is told of these.

Called where a refusal is answered (`refused.py`) and where metadata is (`protected_resource.py`): never on the way of
a call that goes well. Control makes sentences of the words (`control/internal/told_steps.py`).
"""

from typing import Final

from core.sign_in_steps import ProxyStep, ToldStep
from proxy.deps import Deps
from proxy.exchange import Exchange, Head
from proxy.gateways.resources import GATEWAY_PATH
from proxy.refusals import Refusal
from proxy.telemetry.sign_in_steps import short

METADATA_PATH: Final = "/.well-known/oauth-protected-resource"
_STEPS: Final[dict[str, ProxyStep]] = {
    "no_sign_in": "metadata",
    "not_authenticated": "first_call",
    "token_for_api": "first_call",
    "scope_missing": "first_call",
    "way_not_accepted": "first_call",
    "gateway_unknown": "first_call",
    "too_many_unknown": "first_call",
    "cannot_authenticate": "first_call",
}
"""Refusals of whoever has got as far as a gateway's name."""
_ASKED: Final = {"host_unknown": b"host", "origin_foreign": b"origin"}
"""Refusals before that, with the header that was wrong."""


def note_metadata(x: Exchange, deps: Deps) -> None:
    """A client has read where to sign in."""
    deps.sign_ins.note(_step("metadata", x, x.gateway_name))


def note_refusal(x: Exchange, refusal: Refusal, deps: Deps) -> None:
    """A request was refused; nothing is noted where that is no step of signing in."""
    reason = refusal.reason
    step = _STEPS.get(reason)
    if step is not None:
        if reason == "not_authenticated" and "presented" not in refusal.words:
            deps.sign_ins.note(_step("challenge", x, x.gateway_name))
            return
        asked = str(refusal.words.get("way") or refusal.words.get("of_token", ""))
        why = str(refusal.words.get("presented", ""))
        deps.sign_ins.note(_step(step, x, x.gateway_name, reason, why=why, asked=asked))
    elif reason in _ASKED:
        path = x.head.target
        of_metadata = path.startswith(METADATA_PATH)
        if of_metadata or path.startswith(GATEWAY_PATH):
            name = path.removeprefix(METADATA_PATH).removeprefix(GATEWAY_PATH).partition("?")[0]
            asked = _header(x.head, _ASKED[reason])
            deps.sign_ins.note(_step("metadata" if of_metadata else "challenge", x, name, reason, asked=asked))


def _step(step: ProxyStep, x: Exchange, gateway: str, word: str = "", *, why: str = "", asked: str = "") -> ToldStep:
    return ToldStep(
        step=step,
        address=x.address or x.head.peer,
        gateway=short(gateway),
        client=short(_header(x.head, b"user-agent")),
        word=word,
        why=short(why),
        principal=x.caller.key,
        asked=short(asked),
    )


def _header(head: Head, name: bytes) -> str:
    if head.headers is not None:
        return head.headers.get(name.decode(), "")
    return next((value.decode("latin-1") for one, value in head.raw_headers if one.lower() == name), "")
