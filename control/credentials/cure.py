"""What a person can do about a credential that is missing or no longer fits, in one sentence.

Called by `resolution.py` and `control/internal/questions.py`; the sentence goes through a model to the person, so it
names a command that they can run as it stands. Leaves out why: that is said by whoever found it.
"""

from shlex import quote

from control.credentials import dispatch
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.resolve import Principal

_OR_ASK = ", or ask an administrator."


def install_link(entry: Entry) -> str:  # noqa: ARG001  # the page that will be linked is the entry's
    """Where a person connects this entry in a browser: '' because there are no install pages yet.

    A link to a page that is not there is worse than none. Once there are pages, their address is made here, and a
    refusal carries it in `InstallationRefusal.link` beside the command, never a second time in the sentence.
    """
    return ""


def to_connect(entry: Entry, principal: Principal) -> str:
    """For somebody whom no installation of the entry fits."""
    wanted = "personal"
    if principal.kind == "team":
        wanted = f"team --team {quote(principal.name or principal.id)}"
    return f"Run `archway installations create --entry {entry.slug} --scope {wanted}{_option(entry)}`{_OR_ASK}"


def to_give_again(entry: Entry, installation: Installation) -> str:
    """For an installation of the entry whose credential, or else secret answers, must be given once more."""
    options = _option(entry) or _secret_answers(entry, installation)
    return f"Run `archway installations update {quote(installation.address)}{options}`{_OR_ASK}"


def _secret_answers(entry: Entry, installation: Installation) -> str:
    held = [one.name for one in entry.fields if one.type == "secret" and one.name in installation.secret_names]
    return "".join(f" --secret {name}" for name in held)


def _option(entry: Entry) -> str:
    """With which the credential is given, after a space; '' for an entry that takes none."""
    cure = dispatch.cure(entry.credential, ())
    return f" {cure.option}" if cure is not None and cure.option else ""
