"""What a person can do about a credential that is missing or no longer fits, in one sentence.

Called by `resolution.py` and `control/internal/questions.py`; the sentence goes through a model to the person, so it
names a command that they can run as it stands. Leaves out why: that is said by whoever found it.
"""

from collections.abc import Mapping
from typing import Any

from core.resolve import Principal

Row = Mapping[str, Any]
_OR_ASK = ", or ask an administrator."


def install_link(entry: Row) -> str:  # noqa: ARG001  # the page that will be linked is the entry's
    """Where a person connects this entry in a browser: '' because there are no install pages yet.

    A link to a page that is not there is worse than none. Once there are pages, their address is made here, and a
    refusal carries it in `ConnectionRefusal.link` beside the command, never a second time in the sentence.
    """
    return ""


def to_connect(entry: Row, principal: Principal) -> str:
    """For somebody whom no installation of the entry fits."""
    wanted = "personal"
    if principal.kind == "team":
        wanted = f"team --team {principal.id}"
    credential = " --credential" if entry["credential_model"] == "static" else ""
    return f"Run `archway installations create --entry {entry['slug']} --scope {wanted}{credential}`{_OR_ASK}"


def to_give_again(installation: Row) -> str:
    """For an installation whose credential must be given once more."""
    return f"Run `archway installations update {installation['id']} --credential`{_OR_ASK}"
