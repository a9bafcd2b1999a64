"""What is said where a server asks for more than an account may do (403 with `insufficient_scope`, RFC 6750).

Called by `control/internal/questions.py`. The scopes of an entry are a ceiling: a server cannot talk people into more
than an admin has typed. An entry without scopes leaves it to the server, and to the person at the provider's page.
Pure; leaves out what is asked for at a sign-in: `upstream_oauth/authorize.py`, which holds to the same ceiling.
"""

from collections.abc import Collection, Sequence
from typing import Final

from control.credentials.resolved import needs_sign_in
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.resolve import InstallationRefusal

_SHOWN: Final = 10
"""Scopes that a sentence names."""


def beyond(credential: OAuthCredential, scopes: Sequence[str]) -> tuple[str, ...]:
    """Those that people may not be asked for: where the entry has scopes of its own, all that are none of them."""
    return tuple(one for one in scopes if credential.scopes and one not in credential.scopes)


def to_ask_for_more(
    entry: Entry,
    installation: Installation,
    credential: OAuthCredential,
    wanted: Sequence[str],
    granted: Collection[str] = (),
) -> InstallationRefusal:
    """What the caller is told: to sign in once more, where that can help; else whom to ask.

    `wanted`: () where the server does not say what it lacks, as those of the Python SDK do not. Then a sign-in helps
    unless all that the entry lets people ask for was `granted` already.
    """
    too_much = beyond(credential, wanted)
    if too_much or (not wanted and credential.scopes and set(credential.scopes) <= set(granted)):
        named = ", ".join(too_much[:_SHOWN])
        return InstallationRefusal(
            "not_allowed",
            f"The installation {installation.name!r} of {entry.name} may not do this: its server asks for more "
            f"access{f' ({named})' if named else ''} than the entry lets anybody ask for. Signing in again does not "
            f"help: an administrator has to add {named or 'what it lacks'} to the scopes of the entry {entry.slug}.",
        )
    asked = f" ({', '.join(wanted[:_SHOWN])})" if wanted else ""
    return needs_sign_in(entry, installation, f"may not do this: its server asks for more access{asked}")
