"""What callers are told while an account has no token that they could call with.

Called by `lease.py` and `one_renewal.py`. Whether a person has to sign in again is told apart from what passes by
itself: who signs in again for nothing stops believing the sentence.
"""

from msgspec.structs import replace

from control.credentials.resolved import needs_sign_in
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.resolve import InstallationRefusal


def away(entry: Entry, installation: Installation, why: str) -> InstallationRefusal:
    """The provider gives no token now, and nobody is signed out. `why`: one clause."""
    return InstallationRefusal(
        "provider_away",
        f"The installation {installation.name!r} of {entry.name} is still connected, but its provider gives no new "
        f"token now: {why}. Try again in a minute; nobody has to sign in again.",
    )


def under_way(entry: Entry, installation: Installation) -> InstallationRefusal:
    """The next token has been asked for and is not there in the time that a call can wait."""
    return replace(away(entry, installation, "it has been asked and has not answered yet"), under_way=True)


def signed_out(entry: Entry, installation: Installation, because: str) -> InstallationRefusal:
    """A person has to sign in again, or to give the client's secret again. `because`: what the installation is."""
    return needs_sign_in(entry, installation, because)


def gone() -> InstallationRefusal:
    """The installation was removed while its token was asked for."""
    return InstallationRefusal(
        "installation_gone",
        "The installation that this tool used was removed. Ask an administrator to assign it again.",
    )
