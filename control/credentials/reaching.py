"""Where an installation's server is reached, with which headers: as its entry says, or as it runs here.

Called by `resolved.py`. A server that we run is reached at the address that its runtime reported, and only while it
answers: before that its callers are told that it is starting, and afterwards why it does not run. These addresses
come from our own runtime alone, so that no entry can name one (`control/registry/server_url.py` has those that
entries name). Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from shlex import quote
from typing import Final

from control.credentials import dispatch
from control.registry.entry import Entry
from control.registry.field_contents import field_headers
from control.registry.installation import Installation
from control.registry.row_seals import OpenedSecrets
from control.registry.self_hosted import SelfHosted
from control.registry.server_causes import AGAIN_IN_S, PHASES, words_of
from control.registry.server_state import Place, ServerState, as_seen_now
from control.registry.server_url import server_url
from core.egress.addresses import ANYWHERE
from core.resolve import InstallationRefusal
from core.snapshot import RouteKind

_LONGEST_WAIT_S: Final = max(AGAIN_IN_S.values())


@dataclass(frozen=True, slots=True)
class Reaching:
    """Where a proxy sends calls, and what each of them carries besides; headers are lower case."""

    kind: RouteKind
    url: str
    fixed_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The entry's own."""
    own_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The installation's: of its answers and its credential, or the token of its bridge."""


def reaching(
    entry: Entry, installation: Installation, secrets: OpenedSecrets, place: Place | None
) -> Reaching | InstallationRefusal:
    """Where it is reached now, or why it is not. `place`: where servers run here, None for nowhere."""
    own = _of_answers(entry, installation, secrets)
    if not isinstance(entry.reached, SelfHosted):
        return Reaching("remote", server_url(entry, installation.plain_values, ANYWHERE), secrets.fixed_headers, own)
    state = as_seen_now(installation.id, installation.server_state, place)
    if not state.answers:
        return _not_there(entry, installation, state)
    return _at_ours(entry.reached, state, Reaching(state.place, state.endpoint, secrets.fixed_headers, own), secrets)


def _at_ours(run: SelfHosted, state: ServerState, over_http: Reaching, secrets: OpenedSecrets) -> Reaching:
    """A program over stdio was given at its start what it knows: its bridge takes one header, and passes none on."""
    if run.transport == "http":
        return over_http
    return Reaching(state.place, state.endpoint, {}, (("authorization", f"Bearer {secrets.bridge_token}"),))


def _of_answers(entry: Entry, installation: Installation, secrets: OpenedSecrets) -> tuple[tuple[str, str], ...]:
    own = field_headers(entry.fields, installation.plain_values, secrets.values)
    return (*own, *dispatch.headers(entry.credential, secrets.values))


def _not_there(entry: Entry, installation: Installation, state: ServerState) -> InstallationRefusal:
    """Why a server that we run takes no calls, for whoever called, and what an administrator does about it."""
    sentence, cure = words_of(state, quote(installation.address))
    if state.phase == "failed":
        return InstallationRefusal("server_failed", f"{entry.name} does not run: {sentence} For an admin: {cure}")
    does = PHASES["starting"] if state.phase in {"pending", "ready", "degraded"} else PHASES[state.phase]
    again = f"Try again in {AGAIN_IN_S.get(state.phase, _LONGEST_WAIT_S)} s."
    if state.phase == "asleep":
        does = "is being started: it was ended, since nobody had called it for a while"
    known = f" {sentence}" if sentence else ""
    # Where something is in its way already, nobody is kept waiting for it.
    return InstallationRefusal("server_starting", f"{entry.name} {does}.{known} {again}", under_way=not sentence)
