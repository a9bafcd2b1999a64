"""What a person can do about a credential that is missing or no longer fits: a page to open, or a command to run.

Called by `resolution.py`, `resolved.py` and `control/internal/questions.py`. The sentence goes through a model to the
person, so it names a link and a command that work as they stand. Leaves out why: that is said by whoever found it.
"""

from collections.abc import Collection
from shlex import quote
from typing import assert_never

from msgspec.structs import replace

from control.credentials import dispatch
from control.registry.credential import CREDENTIAL, OAuthCredential
from control.registry.entry import Entry
from control.registry.install_path import install_path
from control.registry.installation import Installation
from core.resolve import InstallationRefusal, Principal

_OR_ASK = ", or ask an administrator."
_RUN = " Run `"
_ASKS = "Whoever runs this client asks an administrator to run"
"""For callers at whom nobody sits who could open a page or run a command."""


def install_link(pages_url: str, entry: Entry, principal: Principal, installation: Installation | None = None) -> str:
    """Where a person connects this entry, or gives this installation what it lacks, in a browser.

    It names whom it is for, so that the page can refuse another person whom it was sent to. '' for a caller that
    belongs to no person and no team, and without `pages_url`, which is where people's pages are.
    """
    if not pages_url or principal.kind not in {"user", "team"}:
        return ""
    return pages_url + install_path(entry.slug, principal.key, "" if installation is None else installation.id)


def to_connect(entry: Entry, principal: Principal, link: str = "") -> str:
    """For somebody whom no installation of the entry fits; `link`: as `install_link` made it."""
    whose = _whose(entry, principal)
    command = f"`archway installations create --entry {entry.slug} --scope {whose}{_option(entry)}`"
    if principal.kind == "service" and isinstance(entry.credential, OAuthCredential):
        return f"A service account cannot sign in there. {_ASKS} {command}, and to sign in for it."
    if principal.kind not in {"user", "team"}:
        return f"{_ASKS} {command}."
    return f"Open {link} to connect it, then try again. Or run {command}{_OR_ASK}" if link else _run(command)


def to_give_again(entry: Entry, installation: Installation, secrets: Collection[str] = (), answer: str = "") -> str:
    """For an installation of the entry whose credential, or else secret answers, must be given once more.

    `secrets`: the names of those that must be, where it is known which; `answer`: of the plain answer that must be.
    """
    if isinstance(entry.credential, OAuthCredential) and not secrets and not answer:
        return _run(f"`archway installations sign-in {quote(installation.address)}`")
    if answer:
        return _run(f"`archway installations update {quote(installation.address)} --value {answer}=...`")
    named = "".join(f" --secret {name}" for name in secrets if name != CREDENTIAL)
    options = (_option(entry) if CREDENTIAL in secrets else "") + named
    options = options or _option(entry) or _secret_answers(entry, installation)
    return _run(f"`archway installations update {quote(installation.address)}{options}`")


def with_link(refusal: InstallationRefusal, principal: Principal, link: str) -> InstallationRefusal:
    """The refusal of an installation that needs a person, who is sent to `link` first and to the command second; a
    program is told who can run that.
    """
    why, run, command = refusal.sentence.rpartition(_RUN)
    if refusal.code != "needs_sign_in" or not run:
        return refusal
    if principal.kind in {"service", "external"}:
        return replace(refusal, sentence=f"{why} {_ASKS} `{command.removesuffix(_OR_ASK)}.")
    if not link:
        return refusal
    told = f"{why} Open {link} to put that right, then try again. Or run `{command}"
    return replace(refusal, sentence=told, link=link)


def _run(command: str) -> str:
    return f"Run {command}{_OR_ASK}"


def _whose(entry: Entry, principal: Principal) -> str:
    """Whose installation would serve this caller, as the command takes it."""
    match principal.kind:
        case "user":
            return "personal"
        case "team":
            return f"team --team {quote(principal.name or principal.id)}"
        case "service":
            if entry.team_id is None and not isinstance(entry.credential, OAuthCredential):
                return f"service --oauth-client {quote(principal.name or principal.id)}"
            return _team_or_all(principal)
        case "external":
            return _team_or_all(principal)
        case "organisation":
            return "organisation"
    assert_never(principal.kind)


def _team_or_all(principal: Principal) -> str:
    return f"team --team {min(principal.teams)}" if len(principal.teams) == 1 else "organisation"


def _secret_answers(entry: Entry, installation: Installation) -> str:
    held = [one.name for one in entry.fields if one.type == "secret" and one.name in installation.secret_names]
    return "".join(f" --secret {name}" for name in held)


def _option(entry: Entry) -> str:
    """With which the credential is given, after a space; '' for an entry that takes none."""
    cure = dispatch.cure(entry.credential, ())
    return f" {cure.option}" if cure is not None and cure.option else ""
