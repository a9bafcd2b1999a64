"""What `archway up` runs: its processes, the admin API, installations, and the first call that it made."""

import shlex
from collections.abc import Iterable

from archway.admin.installations import BAD_PATH
from archway.admin.moments import ago_from
from archway.admin_client import AdminApi, Problem, Unreachable
from archway.doctor.finding import Finding, looked, note
from archway.status.facts import Facts, InstallationFact
from archway.up.first_setup import Gone, finished
from archway.up.state import StateFolder
from archway.up.up_file import read_up


def check_running(facts: Facts) -> list[Finding]:
    """The processes and what they say of installations; what was left over where nothing runs."""
    if not facts.running:
        left = ", ".join(f"{process.name} (pid {process.pid})" for process in facts.processes if process.alive)
        found = Finding(f"left over from a killed start: {left}", "they hold ports and memory", "`archway down`")
        return [found] if left else []
    dead = [
        Finding(
            f"{process.name} (pid {process.pid}) is dead",
            "it is being restarted, or cannot start",
            f"read {facts.state}/logs",
        )
        for process in facts.processes
        if not process.alive
    ]
    findings = looked(f"{len(facts.processes)} processes run", dead)
    if facts.trouble:
        findings.append(Finding(f"the admin API: {facts.trouble}", cure=f"read {facts.state}/logs/control.log"))
    return findings + check_installations(facts.installations)


def check_first_call(state: StateFolder, facts: Facts) -> list[Finding]:
    """What `archway up` made for a first call and cannot show any more."""
    if not facts.running or facts.trouble:
        return []
    up = read_up(state)
    try:
        found = finished(AdminApi(str(up["control_url"]), str(up["admin_token"])), state.setup)
    except (KeyError, Problem, Unreachable):
        return []  # starting or ending just now; whatever lasts is told above
    if not isinstance(found, Gone):
        return []
    cure = "make a gateway and a token of your own (`archway gateways create`, `archway tokens create`)"
    return [note(found.what, "`archway up` prints no first call", cure)]


def check_installations(installations: Iterable[InstallationFact]) -> list[Finding]:
    """A line for each; what is not ready is worth knowing, with the command that helps."""
    return [
        Finding(f"installation {one.name}: ready{_asked_when(one)}", level="ok")
        if one.state == "ready"
        else note(f"installation {one.name}: {one.state}", one.reason.rstrip("."), cure_of(one))
        for one in installations
    ]


def _asked_when(one: InstallationFact) -> str:
    """How old the word is: `ready` only repeats the last discovery, and the server may have died since."""
    if not one.discovered_at:
        return ""
    ago = ago_from(one.discovered_at)
    return f" (asked {ago}; `archway installations discover {shlex.quote(one.name)}` asks again)"


def cure_of(one: InstallationFact) -> str:
    """The command that helps an installation which is not ready. Asking the server again gives no credential."""
    name = shlex.quote(one.name)
    what = {"needs_sign_in": "give what it lacks", "credential_refused": "give what its server takes"}.get(one.state)
    if what is not None:
        return (
            f"{what}: `archway installations update {name} --credential` for the key or token, "
            f"`archway installations update {name} --secret FIELD` for another secret answer"
        )
    again = f"`archway installations discover {name}` tries again"
    if BAD_PATH in one.reason:
        return f"`archway entries update {shlex.quote(one.entry)} --url URL` mends the path, and then {again}"
    return f"{again}, once that is mended"
